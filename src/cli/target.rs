//! Flags for the server under load and for access to it.

use std::path::PathBuf;

use blis_live::target::Named;
use clap::Args;

/// The server and access to it. Flags take precedence over the environment, and that over the context.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// URL of the server, or several, comma-separated (NATS_URL).
    #[arg(long, short = 's', value_name = "URL", alias = "server")]
    pub url: Option<String>,

    /// Name or file of a NATS context (NATS_CONTEXT).
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Remote server that may be loaded: its host as in the URL, or a network such as 10.0.0.0/8 (BLIS_ALLOW_TARGET,
    /// comma-separated). May be repeated.
    #[arg(long, value_name = "HOST", value_parser = target)]
    pub allow_target: Vec<Named>,

    /// Allow public internet addresses, too.
    #[arg(long)]
    pub allow_public: bool,

    /// User name (NATS_USER).
    #[arg(long)]
    pub user: Option<String>,

    /// Password (NATS_PASSWORD).
    #[arg(long)]
    pub password: Option<String>,

    /// Token (NATS_TOKEN).
    #[arg(long)]
    pub token: Option<String>,

    /// Credentials file (NATS_CREDS).
    #[arg(long, value_name = "FILE")]
    pub creds: Option<PathBuf>,

    /// File with an nkey seed (NATS_NKEY).
    #[arg(long, value_name = "FILE")]
    pub nkey: Option<PathBuf>,

    /// Additional CA certificates (NATS_CA).
    #[arg(long, value_name = "FILE")]
    pub tlsca: Option<PathBuf>,

    /// Client certificate (NATS_CERT).
    #[arg(long, value_name = "FILE")]
    pub tlscert: Option<PathBuf>,

    /// Key of the client certificate (NATS_KEY).
    #[arg(long, value_name = "FILE")]
    pub tlskey: Option<PathBuf>,

    /// Start TLS before the server sends INFO (`handshake_first`).
    #[arg(long)]
    pub tlsfirst: bool,

    /// Prefix of reply subjects [default: _INBOX].
    #[arg(long, value_name = "PREFIX")]
    pub inbox_prefix: Option<String>,

    /// JetStream domain.
    #[arg(long, value_name = "DOMAIN")]
    pub js_domain: Option<String>,

    /// Prefix of JetStream API subjects [default: $JS.API].
    #[arg(long, value_name = "PREFIX", conflicts_with = "js_domain")]
    pub js_api_prefix: Option<String>,
}

fn target(text: &str) -> Result<Named, String> {
    text.parse()
}

/// Flags for observers beside the load.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Observers")]
pub struct ObserverArgs {
    /// Also observe the consumers of this stream. May be repeated.
    #[arg(long, value_name = "NAME")]
    pub observe_stream: Vec<String>,

    /// Monitoring URL of the server to observe, such as http://127.0.0.1:8222. --allow-target applies to it; over https, --tlsca as
    /// well.
    #[arg(long, value_name = "URL")]
    pub monitor: Option<String>,
}
