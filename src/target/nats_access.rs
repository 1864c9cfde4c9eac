//! From flags, environment and NATS contexts to a target and access to it.
//!
//! Flags take precedence over the environment, and that over the context. There is no default target: without `--url`,
//! `NATS_URL` or a named context no connection is made. Secrets are only ever passed on.

use std::path::{Path, PathBuf};

use blis_live::os_error::unnumbered;
use blis_live::target::access::Access;
use blis_live::target::{Monitor, Named, Permission, Target, check, check_monitor};

use blis_sim::model::rendered::{Flaw, prefix_flaw};

use crate::cli::TargetArgs;
use crate::exit::Failure;
use crate::target::environment::variable;
use crate::target::nats_context::Context;

/// The variable that names targets as `--allow-target` does, for a site that is there to be tested.
const ALLOW_TARGET: &str = "BLIS_ALLOW_TARGET";
/// The variables that say how to connect.
const READ: [&str; 13] = [
    "NATS_URL",
    "NATS_CONTEXT",
    "NATS_USER",
    "NATS_PASSWORD",
    "NATS_TOKEN",
    "NATS_CREDS",
    "NATS_NKEY",
    "NATS_JWT",
    "NATS_SEED",
    "NATS_CA",
    "NATS_CERT",
    "NATS_KEY",
    ALLOW_TARGET,
];
/// Variables of the `nats` command line that say how to connect and are not honoured.
const REFUSED: [&str; 1] = ["NATS_SOCKS_PROXY"];

/// What a run connects to, and how it is let in.
///
/// # Errors
/// [`Failure::Usage`] when there is no target or a file cannot be used, [`Failure::Target`] when it may not be loaded,
/// [`Failure::Connect`] when its name cannot be resolved.
pub fn resolve(args: &TargetArgs) -> Result<(Target, Access), Failure> {
    if let Some(name) = REFUSED.iter().find(|name| variable(name).is_some()) {
        return Err(Failure::Usage(format!(
            "the environment variable {name} is not supported; unset it"
        )));
    }
    let no_text =
        |name: &&&str| std::env::var_os(name).is_some_and(|value| value.to_str().is_none());
    if let Some(name) = READ.iter().find(no_text) {
        return Err(Failure::Usage(format!(
            "the environment variable {name} is not UTF-8; correct it, or unset it"
        )));
    }
    let given = Given {
        args,
        context: match args.context.clone().or_else(|| variable("NATS_CONTEXT")) {
            Some(name) => Context::read(&name)?,
            None => Context::default(),
        },
    };
    let urls = given.text(&args.url, "NATS_URL", "url").ok_or_else(|| {
        Failure::Usage(
            "no target is given; give a server with --url nats://HOST:PORT, NATS_URL or --context"
                .to_owned(),
        )
    })?;
    let mut access = given.access()?;
    let target = check(&urls, access.wants_tls(), &permission(args)?)?;
    let (url_user, url_password) = match &target.user {
        Some((user, password)) => (Some(user.clone()), password.clone()),
        None => (None, None),
    };
    let user = url_user.or_else(|| given.text(&args.user, "NATS_USER", "user"));
    let password = url_password.or_else(|| given.text(&args.password, "NATS_PASSWORD", "password"));
    match (user, password) {
        (Some(user), Some(password)) => access.user = Some((user, password)),
        // A user alone is a token, as for the `nats` command line.
        (Some(user), None) => access.token = access.token.or(Some(user)),
        (None, _) => {}
    }
    Ok((target, access))
}

/// The monitoring of a server, where one is given; over TLS the authorities of `access` are trusted too.
///
/// # Errors
/// [`Failure::Usage`] when it is no URL of one, [`Failure::Target`] when it may not be asked, [`Failure::Connect`] when its
/// name cannot be resolved.
pub fn monitor(
    url: Option<&str>,
    args: &TargetArgs,
    access: &Access,
) -> Result<Option<Monitor>, Failure> {
    let Some(url) = url else {
        return Ok(None);
    };
    let checked = check_monitor(url, &permission(args)?)?;
    Ok(Some(Monitor {
        ca: access.ca.clone(),
        ..checked
    }))
}

/// What may be loaded beside this machine, by flags and by the environment.
///
/// # Errors
/// [`Failure::Usage`] when the environment names what is no target.
fn permission(args: &TargetArgs) -> Result<Permission, Failure> {
    let mut named = args.allow_target.clone();
    let listed = variable(ALLOW_TARGET).unwrap_or_default();
    let listed = listed.split(',').map(str::trim);
    for text in listed.filter(|text| !text.is_empty()) {
        let one: Named = text
            .parse()
            .map_err(|why| Failure::Usage(format!("{ALLOW_TARGET}: `{text}`: {why}")))?;
        named.push(one);
    }
    Ok(Permission {
        named,
        public: args.allow_public,
    })
}

/// Where values come from.
struct Given<'a> {
    args: &'a TargetArgs,
    context: Context,
}

impl Given<'_> {
    fn text(&self, flag: &Option<String>, env: &str, field: &str) -> Option<String> {
        flag.clone()
            .or_else(|| variable(env))
            .or_else(|| self.context.text(field))
    }

    fn path(
        &self,
        flag: &Option<PathBuf>,
        env: &str,
        field: &str,
    ) -> Result<Option<PathBuf>, Failure> {
        match flag.clone().or_else(|| variable(env).map(PathBuf::from)) {
            Some(path) => Ok(Some(path)),
            None => self.context.path(field),
        }
    }

    /// How one is let in, apart from user and password.
    fn access(&self) -> Result<Access, Failure> {
        let args = self.args;
        let nkey = match self.path(&args.nkey, "NATS_NKEY", "nkey")? {
            Some(path) => Some(read_seed(&path)?),
            None => None,
        };
        let jwt = self.text(&None, "NATS_JWT", "user_jwt");
        let seed = self.text(&None, "NATS_SEED", "user_seed");
        Ok(Access {
            user: None,
            token: self.text(&args.token, "NATS_TOKEN", "token"),
            creds: self.path(&args.creds, "NATS_CREDS", "creds")?,
            nkey,
            jwt: jwt.map(|jwt| (jwt, seed)),
            ca: self.path(&args.tlsca, "NATS_CA", "ca")?,
            certificate: self.certificate()?,
            tls_first: args.tlsfirst || self.context.tls_first(),
            inbox_prefix: self.inbox_prefix()?,
            api_prefix: self.api_prefix()?,
        })
    }

    fn certificate(&self) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
        let certificate = self.path(&self.args.tlscert, "NATS_CERT", "cert")?;
        let key = self.path(&self.args.tlskey, "NATS_KEY", "key")?;
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            _ => Err(Failure::Usage(
                "a client certificate needs its key; give --tlscert and --tlskey".to_owned(),
            )),
        }
    }

    /// What subjects start with, without a dot at its end.
    fn prefix(&self, flag: &Option<String>, field: &str) -> Result<Option<String>, Failure> {
        let Some(prefix) = flag.clone().or_else(|| self.context.text(field)) else {
            return Ok(None);
        };
        let prefix = prefix.strip_suffix('.').unwrap_or(&prefix);
        match prefix_flaw(prefix) {
            None => Ok(Some(prefix.to_owned())),
            Some(flaw) => Err(unfit(field, prefix, flaw)),
        }
    }

    /// What the subjects of replies start with.
    fn inbox_prefix(&self) -> Result<Option<String>, Failure> {
        const FIELD: &str = "inbox_prefix";
        let prefix = self.prefix(&self.args.inbox_prefix, FIELD)?;
        match prefix.as_deref().filter(|prefix| prefix.starts_with('$')) {
            Some(prefix) => Err(unfit(FIELD, prefix, Flaw::OfTheServer)),
            None => Ok(prefix),
        }
    }

    /// The prefix of the JetStream API: given, or that of a domain.
    fn api_prefix(&self) -> Result<Option<String>, Failure> {
        const DOMAIN: &str = "jetstream_domain";
        let given = self.prefix(&self.args.js_api_prefix, "jetstream_api_prefix")?;
        if given.is_some() {
            return Ok(given);
        }
        match self.prefix(&self.args.js_domain, DOMAIN)? {
            Some(domain) if domain.contains('.') => Err(unfit(DOMAIN, &domain, Flaw::NoToken)),
            domain => Ok(domain.map(|domain| format!("$JS.{domain}.API"))),
        }
    }
}

/// What is wrong with a prefix, which a flag or the field of a context gives.
fn unfit(field: &str, prefix: &str, flaw: Flaw) -> Failure {
    let flag = match field {
        "jetstream_api_prefix" => "--js-api-prefix",
        "jetstream_domain" => "--js-domain",
        _ => "--inbox-prefix",
    };
    Failure::Usage(format!(
        "{flag} (or the field `{field}` of a context) is {prefix:?}, which {flaw}; give tokens separated by dots, such \
         as `mine.app`"
    ))
}

fn read_seed(path: &Path) -> Result<String, Failure> {
    // Whoever gives the seed itself must not find it in a log.
    let text = path.to_string_lossy();
    if text.starts_with('S') && text.len() == 58 && !path.exists() {
        return Err(Failure::Usage(
            "--nkey takes a file, not the seed itself; write the seed to a file".to_owned(),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|why| {
        Failure::Usage(format!(
            "the nkey seed in {} cannot be read: {}; name the file that holds it",
            path.display(),
            unnumbered(&why)
        ))
    })?;
    let seed = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with('S'));
    seed.map(str::to_owned).ok_or_else(|| {
        Failure::Usage(format!(
            "{} has no nkey seed; give a file with a seed that starts with S",
            path.display()
        ))
    })
}
