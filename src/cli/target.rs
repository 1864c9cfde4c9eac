//! Which server is loaded, and how it lets one in.

use std::path::PathBuf;

use blis_live::target::Named;
use clap::Args;

/// Which server, and how it lets one in. Flags come before the environment, and that before the context.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// The server, or several with commas between (NATS_URL).
    #[arg(long, short = 's', value_name = "URL", alias = "server")]
    pub url: Option<String>,

    /// A NATS context by its name, or its file (NATS_CONTEXT).
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// A server that is not this machine and may be loaded: its host as in the URL, or a network such as 10.0.0.0/8
    /// (BLIS_ALLOW_TARGET, several with commas between).
    #[arg(long, value_name = "HOST", value_parser = target)]
    pub allow_target: Vec<Named>,

    /// Allow addresses that the public internet routes, too.
    #[arg(long)]
    pub allow_public: bool,

    /// The user (NATS_USER).
    #[arg(long)]
    pub user: Option<String>,

    /// The password (NATS_PASSWORD).
    #[arg(long)]
    pub password: Option<String>,

    /// The token (NATS_TOKEN).
    #[arg(long)]
    pub token: Option<String>,

    /// A credentials file (NATS_CREDS).
    #[arg(long, value_name = "FILE")]
    pub creds: Option<PathBuf>,

    /// A file with the seed of an nkey (NATS_NKEY).
    #[arg(long, value_name = "FILE")]
    pub nkey: Option<PathBuf>,

    /// Certificates of further authorities (NATS_CA).
    #[arg(long, value_name = "FILE")]
    pub tlsca: Option<PathBuf>,

    /// The client's certificate (NATS_CERT).
    #[arg(long, value_name = "FILE")]
    pub tlscert: Option<PathBuf>,

    /// The key of the client's certificate (NATS_KEY).
    #[arg(long, value_name = "FILE")]
    pub tlskey: Option<PathBuf>,

    /// TLS before the server's first word, as the server may be set to want it.
    #[arg(long)]
    pub tlsfirst: bool,

    /// What the subjects of replies start with; _INBOX unless given.
    #[arg(long, value_name = "PREFIX")]
    pub inbox_prefix: Option<String>,

    /// The domain of JetStream.
    #[arg(long, value_name = "DOMAIN")]
    pub js_domain: Option<String>,

    /// What the subjects of the JetStream API start with; $JS.API unless given.
    #[arg(long, value_name = "PREFIX", conflicts_with = "js_domain")]
    pub js_api_prefix: Option<String>,
}

fn target(text: &str) -> Result<Named, String> {
    text.parse()
}

/// Who looks on beside a load.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Observers")]
pub struct ObserverArgs {
    /// Observe the consumers of this stream, too. May be repeated.
    #[arg(long, value_name = "NAME")]
    pub observe_stream: Vec<String>,

    /// The monitoring of the server, such as http://127.0.0.1:8222, to be observed; guarded as the target is.
    #[arg(long, value_name = "URL")]
    pub monitor: Option<String>,
}
