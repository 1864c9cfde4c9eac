//! Keys, signed JWTs and certificates of a test's own: made anew each time, so that none can expire or leak.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
};
use serde_json::{Value, json};

/// An operator with an account and a user of it.
pub struct Operator {
    pub jwt: String,
    pub seed: String,
    configuration: String,
}

impl Operator {
    pub fn new() -> Operator {
        let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
        let (system, user) = (KeyPair::new_account(), KeyPair::new_user());
        let unlimited = json!({
            "subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1, "wildcards": true
        });
        let of_account = json!({"type": "account", "version": 2, "limits": unlimited});
        let of_operator = signed(
            &operator,
            &operator,
            json!({"type": "operator", "version": 2}),
        );
        let preloaded = [&account, &system].map(|key| {
            let jwt = signed(&operator, key, of_account.clone());
            format!("{}: {jwt}", key.public_key())
        });
        let of_user = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
        Operator {
            jwt: signed(&account, &user, of_user),
            seed: user.seed().expect("a seed"),
            configuration: format!(
                "operator: {of_operator}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{\n{}\n}}",
                system.public_key(),
                preloaded.join("\n")
            ),
        }
    }

    /// The lines of a server that trusts it.
    pub fn configuration(&self) -> &str {
        &self.configuration
    }

    /// What a credentials file holds.
    pub fn credentials(&self) -> String {
        credentials(&self.jwt, &self.seed)
    }
}

/// A credentials file with this JWT and this seed.
pub fn credentials(jwt: &str, seed: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{seed}\n\
         ------END USER NKEY SEED------\n"
    )
}

/// A JWT about `of`, signed by `by`.
fn signed(by: &KeyPair, of: &KeyPair, nats: Value) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"typ": "JWT", "alg": "ed25519-nkey"}));
    let claims = part(json!({
        "jti": "test", "iat": 1_700_000_000, "iss": by.public_key(), "name": "test", "sub": of.public_key(), "nats": nats
    }));
    let text = format!("{header}.{claims}");
    let signature = by.sign(text.as_bytes()).expect("a key that signs");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// An authority whose certificates are files in a folder.
pub struct Authority {
    issuer: CertifiedIssuer<'static, rcgen::KeyPair>,
    folder: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path) -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "authority of a test");
        let key = rcgen::KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let authority = Authority {
            issuer,
            folder: folder.to_owned(),
        };
        std::fs::write(authority.file("ca.pem"), authority.issuer.pem()).expect("a file");
        authority
    }

    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Issues `NAME.pem` and `NAME.key` for these hosts.
    pub fn issue(&self, name: &str, hosts: &[&str]) {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("hosts");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        std::fs::write(self.file(&format!("{name}.pem")), certificate.pem()).expect("a file");
        std::fs::write(self.file(&format!("{name}.key")), key.serialize_pem()).expect("a file");
    }
}
