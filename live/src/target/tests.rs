//! The guard: what it lets through, by which address, and what it tells of a URL.

use super::*;

fn refused(urls: &str, named: &[&str], public: bool) -> Refused {
    check(urls, false, &permission(named, public)).expect_err("refused")
}

fn permission(named: &[&str], public: bool) -> Permission {
    let named = named
        .iter()
        .map(|text| text.parse().expect("a target"))
        .collect();
    Permission { named, public }
}

#[test]
fn loopback_is_free_and_connected_to_by_address() {
    let target = check(
        "nats://localhost:4333, 127.0.0.2",
        false,
        &Permission::default(),
    )
    .expect("this machine");
    assert_eq!(target.names, ["localhost:4333", "127.0.0.2:4222"]);
    assert_eq!(
        target.servers[0]
            .host()
            .parse::<IpAddr>()
            .map(|ip| ip.is_loopback()),
        Ok(true)
    );
    let target = check("nats://[::1]:4333,[::1]", false, &Permission::default());
    assert_eq!(
        target.expect("this machine").names,
        ["[::1]:4333", "[::1]:4222"]
    );
    let monitor = check_monitor("http://[::1]", &Permission::default());
    assert_eq!(monitor.expect("this machine").name, "[::1]:8222");
}

#[test]
fn others_are_named_again() {
    let why = refused("nats://10.1.2.3", &[], false);
    assert!(matches!(why, Refused::NotNamed { .. }), "{why}");
    assert!(
        check(
            "nats://10.1.2.3",
            false,
            &permission(&["10.0.0.0/8"], false)
        )
        .is_ok()
    );
    assert!(check("nats://10.1.2.3", false, &permission(&["10.1.2.3"], false)).is_ok());
    let why = refused("nats://10.1.2.3,nats://10.1.3.3", &["10.1.2.0/24"], true);
    assert!(
        why.to_string()
            .starts_with("10.1.3.3 (10.1.3.3) is not this machine"),
        "{why}"
    );
    assert!(
        check(
            "nats://[fd00::1]:4222",
            false,
            &permission(&["fd00::/8"], false)
        )
        .is_ok()
    );
}

#[test]
fn public_addresses_need_a_further_word() {
    let why = refused("nats://8.8.8.8", &["8.8.8.8"], false);
    assert!(matches!(why, Refused::Public { .. }), "{why}");
    assert!(check("nats://8.8.8.8", false, &permission(&["8.8.8.8"], true)).is_ok());
    for mapped in ["::ffff:8.8.8.8", "2001:db9::1"] {
        let url = format!("nats://[{mapped}]");
        assert!(
            matches!(refused(&url, &["::/0"], false), Refused::Public { .. }),
            "{mapped}"
        );
    }
    for local in [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "100.64.0.1",
        "fe80::1",
        "fd00::1",
    ] {
        assert!(!is_public(local.parse().expect("an address")), "{local}");
    }
    for public in ["100.63.255.255", "172.32.0.1", "1.1.1.1"] {
        assert!(is_public(public.parse().expect("an address")), "{public}");
    }
}

#[test]
fn a_refusal_does_not_tell_the_password() {
    let why = refused("nats://me:canary@10.1.2.3", &[], false).to_string();
    assert!(!why.contains("canary"), "{why}");
    let why = refused("http://me:canary@10.1.2.3", &[], false).to_string();
    assert!(!why.contains("canary"), "{why}");
    // A comma in a password takes it apart.
    for url in ["nats://me:can,ary@10.1.2.3", "nats://me:4222,canary@host"] {
        let why = refused(url, &[], false).to_string();
        assert!(!why.contains("can,") && !why.contains("nary"), "{why}");
    }
    assert_eq!(refused(" , ", &[], false), Refused::NoUrl(" , ".to_owned()));
}

#[test]
fn a_checked_target_holds_no_password_beside_the_user() {
    let url = "nats://me:c%40n%2Fary%@127.0.0.1:4222,tls://me:canary@localhost";
    let target = check(url, false, &Permission::default()).expect("this machine");
    let user = Some(("me".to_owned(), Some("c@n/ary%".to_owned())));
    assert_eq!(target.user, user);
    for server in &target.servers {
        assert!(!server.as_url_str().contains("me"), "{server:?}");
        assert!(!server.has_user_pass());
    }
    assert!(!format!("{target:?}").contains("ary"));
}

#[test]
fn tls_connects_by_name_and_checks_it_again() {
    let named = Permission::default();
    let host = |urls, tls| {
        let target = check(urls, tls, &named).expect("this machine");
        target.servers[0].host().to_owned()
    };
    assert_eq!(host("tls://localhost:4222", false), "localhost");
    assert_eq!(host("nats://localhost:4222", true), "localhost");
    assert!(host("nats://localhost:4222", false) != "localhost");
    let mut target = check("tls://localhost", false, &named).expect("this machine");
    assert_eq!(target.check_again(), Ok(()));
    // As if the name had another address by now.
    target.as_named = vec![("10.1.2.3".to_owned(), 4222)];
    assert!(matches!(
        target.check_again(),
        Err(Refused::NotNamed { .. })
    ));
}

#[test]
fn what_is_no_nats_url_is_refused() {
    for url in [
        "ws://127.0.0.1",
        "wss://127.0.0.1",
        "http://127.0.0.1",
        "nats://",
    ] {
        let why = refused(url, &[], false);
        assert!(matches!(why, Refused::NoUrl(_)), "{url}: {why}");
    }
}

#[test]
fn monitoring_is_guarded_as_servers_are() {
    let named = Permission::default();
    let monitor = check_monitor("http://127.0.0.1/", &named).expect("this machine");
    assert_eq!(monitor.name, "127.0.0.1:8222");
    let monitor = check_monitor("http://[::1]:4222", &named).expect("this machine");
    assert_eq!(monitor.address.port(), 4222);
    assert!(!monitor.tls);
    let monitor = check_monitor("https://127.0.0.1", &named).expect("this machine");
    assert!(monitor.tls);
    for url in [
        "ftp://127.0.0.1",
        "127.0.0.1:8222",
        "https://",
        "https://me:canary@127.0.0.1",
        "http://",
        "http://127.0.0.1/varz",
        "http://me:canary@127.0.0.1",
    ] {
        let why = check_monitor(url, &named).expect_err("refused");
        assert!(matches!(why, Refused::NoMonitor(_)), "{url}: {why}");
        assert!(!why.to_string().contains("canary"), "{why}");
    }
    let why = check_monitor("http://10.1.2.3:8222", &named).expect_err("refused");
    assert!(matches!(why, Refused::NotNamed { .. }), "{why}");
    let why = check_monitor("http://8.8.8.8", &permission(&["8.8.8.8"], false));
    assert!(matches!(why, Err(Refused::Public { .. })), "{why:?}");
}

#[test]
fn targets_are_hosts_or_networks() {
    assert_eq!("db.test".parse(), Ok(Named::Host("db.test".to_owned())));
    assert!("10.0.0.0/33".parse::<Named>().is_err());
    assert!("ten/8".parse::<Named>().is_err());
    assert!("".parse::<Named>().is_err());
    assert!(within(
        "0.0.0.0".parse().expect("any"),
        0,
        "9.9.9.9".parse().expect("one")
    ));
}

#[test]
fn literal_addresses_are_not_asked_for_their_names_again() {
    // As a host of another name gives them, which alone was named.
    for address in ["192.0.2.2:4222", "[2001:db8::2]:4222"] {
        let target = Target {
            servers: vec![format!("nats://{address}").parse().expect("a server")],
            names: vec!["nats.test:4222".to_owned()],
            user: None,
            as_named: Vec::new(),
            permission: permission(&["nats.test"], true),
        };
        assert_eq!(target.check_again(), Ok(()), "{address}");
    }
}
