//! From flags, environment and NATS contexts to a target and a way in.
//!
//! A flag comes before the environment, and that before the context. There is no default target: without `--url`,
//! `NATS_URL` or a context that was named nothing is connected to. Secrets are only ever handed on.

use std::path::{Path, PathBuf};

use blis_live::connection::Access;
use blis_live::target::{Permission, Target, check};
use serde_json::{Map, Value};

use crate::cli::TargetArgs;
use crate::exit::Failure;

/// Fields of a context that say how to connect and are honoured.
const HONOURED: [&str; 10] = [
    "url",
    "user",
    "password",
    "token",
    "creds",
    "nkey",
    "cert",
    "key",
    "ca",
    "inbox_prefix",
];
/// Fields that say nothing about connecting.
const IDLE: [&str; 3] = ["description", "color_scheme", "name"];

/// What a run connects to, and how it is let in.
///
/// # Errors
/// [`Failure::Usage`] when there is no target or a file cannot be used, [`Failure::Target`] when it may not be loaded.
pub fn resolve(args: &TargetArgs) -> Result<(Target, Access), Failure> {
    let context = match args.context.clone().or_else(|| variable("NATS_CONTEXT")) {
        Some(name) => read_context(&name)?,
        None => Map::new(),
    };
    let field = |name: &str| {
        let value = context.get(name).and_then(Value::as_str);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let value = |flag: &Option<String>, env: &str, name: &str| {
        flag.clone()
            .or_else(|| variable(env))
            .or_else(|| field(name))
    };
    let path = |flag: &Option<PathBuf>, env: &str, name: &str| {
        let given = flag.clone().or_else(|| variable(env).map(PathBuf::from));
        given.or_else(|| field(name).map(|path| expanded(&path)))
    };
    let urls = value(&args.url, "NATS_URL", "url").ok_or_else(|| {
        Failure::Usage(
            "there is no target: name a server with --url nats://HOST:PORT, NATS_URL or --context"
                .to_owned(),
        )
    })?;
    let permission = Permission {
        named: args.allow_target.clone(),
        public: args.allow_public,
    };
    let target = check(&urls, &permission).map_err(|refused| match refused {
        blis_live::target::Refused::NoUrl(_) => Failure::Usage(refused.to_string()),
        refused => Failure::Target(refused.to_string()),
    })?;
    let (url_user, url_password) = match &target.user {
        Some((user, password)) => (Some(user.clone()), password.clone()),
        None => (None, None),
    };
    let user = url_user.or_else(|| value(&args.user, "NATS_USER", "user"));
    let password = url_password.or_else(|| value(&args.password, "NATS_PASSWORD", "password"));
    let mut token = value(&args.token, "NATS_TOKEN", "token");
    let user = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        // A user alone is a token, as for the `nats` command line.
        (Some(user), None) => {
            token = token.or(Some(user));
            None
        }
        (None, _) => None,
    };
    let nkey = match path(&args.nkey, "NATS_NKEY", "nkey") {
        Some(path) => Some(read_seed(&path)?),
        None => None,
    };
    let certificate = path(&args.tlscert, "NATS_CERT", "cert");
    let key = path(&args.tlskey, "NATS_KEY", "key");
    let certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            return Err(Failure::Usage(
                "a client certificate needs its key: give --tlscert and --tlskey".to_owned(),
            ));
        }
    };
    let access = Access {
        user,
        token,
        creds: path(&args.creds, "NATS_CREDS", "creds"),
        nkey,
        ca: path(&args.tlsca, "NATS_CA", "ca"),
        certificate,
        inbox_prefix: args.inbox_prefix.clone().or_else(|| field("inbox_prefix")),
    };
    Ok((target, access))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where NATS keeps contexts, on every system.
fn contexts() -> Option<PathBuf> {
    let root = match variable("XDG_CONFIG_HOME") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(variable("HOME")?).join(".config"),
    };
    Some(root.join("nats").join("context"))
}

/// The fields of a context: of a file, or of a name.
fn read_context(name: &str) -> Result<Map<String, Value>, Failure> {
    let path = match name.ends_with(".json") {
        true => PathBuf::from(name),
        false if name.contains("..") || name.contains(['/', '\\']) => {
            return Err(Failure::Usage(format!(
                "`{name}` is not the name of a NATS context"
            )));
        }
        false => contexts()
            .ok_or_else(|| {
                Failure::Usage("HOME is not set, so that contexts cannot be found".to_owned())
            })?
            .join(format!("{name}.json")),
    };
    let unusable = |why: String| {
        Failure::Usage(format!(
            "the NATS context {name} cannot be used: {}: {why}",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(&path).map_err(|why| unusable(why.to_string()))?;
    // What the reader would say of a value could hold a secret.
    let read: Map<String, Value> =
        serde_json::from_str(&text).map_err(|_| unusable("it is not a JSON object".to_owned()))?;
    let blank = |value: &Value| {
        matches!(value, Value::Null | Value::Bool(false)) || value.as_str() == Some("")
    };
    let other = read.iter().find(|(field, value)| {
        !HONOURED.contains(&field.as_str()) && !IDLE.contains(&field.as_str()) && !blank(value)
    });
    match other {
        Some((field, _)) => Err(unusable(format!(
            "its field `{field}` is not honoured by this version; accepted: {}",
            HONOURED.join(", ")
        ))),
        None => Ok(read),
    }
}

/// A path with `~` for the home directory.
fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), variable("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn read_seed(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|why| {
        Failure::Usage(format!(
            "the nkey seed in {} cannot be read: {why}",
            path.display()
        ))
    })?;
    let seed = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with('S'));
    seed.map(str::to_owned).ok_or_else(|| {
        Failure::Usage(format!(
            "{} holds no nkey seed, which starts with S",
            path.display()
        ))
    })
}
