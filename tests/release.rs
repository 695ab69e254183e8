//! What the program says of itself, and how it is asked whether it is well.

#![allow(clippy::unwrap_used, reason = "a test that cannot start the binary has failed")]

mod running;

use std::process::{Command, Output};

use emotone::config::{REVISION, VERSION};
use running::{KEY, Running, emotone};
use serde_json::Value;

#[test]
fn version_names_revision_and_model() {
    let card = emotone(&["model", "--json"]).stdout;
    let card: Value = serde_json::from_slice(&card).unwrap();
    let (name, version) = (card["name"].as_str().unwrap(), card["version"].as_str().unwrap());
    let expected = format!("emotone {VERSION} (revision {REVISION}, model {name} {version})\n");
    for arguments in [&["--version"][..], &["-V"], &["version"], &["serve", "--version"]] {
        let output = emotone(arguments);
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{arguments:?}");
    }
    assert_eq!((&card["server"]["version"], &card["server"]["revision"]), (&VERSION.into(), &REVISION.into()));
    let server = Running::start(&[]);
    let figures = server.ask(&format!("GET /metrics HTTP/1.1\r\nX-API-Key: {KEY}"), b"");
    let build = format!("emotone_build_info{{revision=\"{REVISION}\",version=\"{VERSION}\"}} 1");
    assert!(figures.contains(&build), "{figures}");
}

fn health(address: &str, certificate: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotone"));
    command.arg("health").env("EMOTONE_LISTEN", address);
    if let Some(file) = certificate {
        command.env("EMOTONE_TLS_CERT_FILE", file);
    }
    command.output().unwrap()
}

#[test]
fn health_is_asked_by_the_program_itself() {
    let server = Running::start(&[]);
    let port = server.address.rsplit(':').next().unwrap();
    for address in [server.address.clone(), format!("0.0.0.0:{port}"), format!(":{port}"), format!("localhost:{port}")]
    {
        let output = health(&address, None);
        assert!(output.status.success(), "{address}: {output:?}");
    }
    let gone = server.address.clone();
    drop(server);
    let output = health(&gone, None);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.lines().count() == 1 && said.contains(&gone), "{said}");
    assert_eq!(health("nowhere", None).status.code(), Some(2));
}

#[test]
fn health_is_asked_by_tls_of_the_server_with_that_certificate_alone() {
    let server = Running::start(&["--tls-cert-file", "tests/tls/new.pem", "--tls-key-file", "tests/tls/new.key"]);
    let output = health(&server.address, Some("tests/tls/new.pem"));
    assert!(output.status.success(), "{output:?}");
    for certificate in [None, Some("tests/tls/old.pem"), Some("nowhere.pem")] {
        assert_eq!(health(&server.address, certificate).status.code(), Some(1), "{certificate:?}");
    }
    let said = String::from_utf8(health(&server.address, None).stderr).unwrap();
    assert!(said.lines().count() == 1 && said.contains("--tls-cert-file must name the certificate"), "{said}");
}

#[test]
fn a_server_that_is_about_to_end_is_not_ready() {
    let mut server = Running::start(&["--drain-seconds", "60"]);
    // A call that is open keeps it from ending.
    let mut call = std::net::TcpStream::connect(&server.address).unwrap();
    let head = format!("POST /classify HTTP/1.1\r\nHost: test\r\nX-API-Key: {KEY}\r\nContent-Length: 100000\r\n\r\n");
    std::io::Write::write_all(&mut call, head.as_bytes()).unwrap();
    assert!(health(&server.address, None).status.success());
    server.signal("TERM");
    server.wait_for("draining");
    let output = health(&server.address, None);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("503"), "{said}");
}
