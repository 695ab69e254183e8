//! Asks a server on this machine whether it takes requests: for containers whose image has no other program.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};

use super::tls::provider;

/// Longest wait for each step of the conversation.
const PATIENCE: Duration = Duration::from_secs(2);
const QUESTION: &[u8] = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// More than a status line.
const LONGEST_ANSWER: u64 = 1024;

/// Why a server is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// It cannot be asked.
    #[error("{0}: {1}")]
    Unreachable(SocketAddr, io::Error),
    /// It says that it is not, in its status line.
    #[error("{0} answers: {1}")]
    Refused(SocketAddr, String),
    /// What answers speaks something else, such as TLS to whom no certificate is known.
    #[error("{0} does not answer as HTTP does; of a server with TLS, --tls-cert-file must name the certificate")]
    NotHttp(SocketAddr),
    /// Its certificate cannot be read.
    #[error("cannot use certificate {0}: {1}")]
    Certificate(String, String),
}

/// Asks the server that listens on `address`; by TLS if it has a certificate, which it must then show.
///
/// # Errors
/// [`NotReady`], with the reason.
pub fn ready(address: SocketAddr, certificate: Option<&Path>) -> Result<(), NotReady> {
    let address = SocketAddr::new(reachable(address.ip()), address.port());
    let pinned = certificate.map(pinned).transpose()?;
    let answer = ask(address, pinned).map_err(|problem| NotReady::Unreachable(address, problem))?;
    match std::str::from_utf8(&answer).map(str::trim_end) {
        Ok(status) if status.starts_with("HTTP/") => match status.split(' ').nth(1) {
            Some("200") => Ok(()),
            _ => Err(NotReady::Refused(address, status.into())),
        },
        _ => Err(NotReady::NotHttp(address)),
    }
}

/// Who listens on every address is asked on this machine's own.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

fn ask(address: SocketAddr, tls: Option<ClientConnection>) -> io::Result<Vec<u8>> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    match tls {
        None => first_line(socket),
        Some(tls) => first_line(StreamOwned::new(tls, socket)),
    }
}

fn first_line(mut socket: impl Read + Write) -> io::Result<Vec<u8>> {
    socket.write_all(QUESTION)?;
    let mut line = Vec::new();
    BufReader::new(socket.take(LONGEST_ANSWER)).read_until(b'\n', &mut line)?;
    Ok(line)
}

fn pinned(file: &Path) -> Result<ClientConnection, NotReady> {
    let problem = |problem: String| NotReady::Certificate(file.display().to_string(), problem);
    let certificate = CertificateDer::from_pem_file(file).map_err(|error| problem(error.to_string()))?;
    let verifier = Pinned { certificate, provider: provider() };
    let config = ClientConfig::builder_with_provider(provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let name = ServerName::IpAddress(IpAddr::from(Ipv4Addr::LOCALHOST).into());
    ClientConnection::new(config.into(), name).map_err(|error| problem(error.to_string()))
}

/// Trusts one certificate, whatever name is in it: the server is known by its address on this machine, not by name.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: CryptoProvider,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, shown, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, shown, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
