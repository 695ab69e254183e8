//! TLS, with a certificate that can be renewed while the server runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tracing::{info, warn};

use crate::config::Security;

/// How often to look whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Why there is no TLS; names the file.
#[derive(Debug, thiserror::Error)]
#[error("cannot use certificate {certificate} with key {key}: {problem}")]
pub struct TlsError {
    certificate: String,
    key: String,
    problem: String,
}

/// A certificate chain and its key, as they are on disk.
#[derive(Debug)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    seen: Mutex<Changed>,
    present: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads the files of the settings; `None` if they name none.
    ///
    /// # Errors
    /// [`TlsError`] if a file cannot be read, or the two do not belong together.
    pub fn load(security: &Security) -> Result<Option<Arc<Self>>, TlsError> {
        let (Some(chain), Some(key)) = (&security.tls_cert_file, &security.tls_key_file) else { return Ok(None) };
        let present = RwLock::new(Arc::new(read(chain, key)?));
        let seen = Mutex::new(changed(chain, key));
        Ok(Some(Arc::new(Self { chain: chain.clone(), key: key.clone(), seen, present })))
    }

    /// What accepts connections with it.
    ///
    /// # Errors
    /// If the cryptography offers no protocol that is safe.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(provider().into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Reads the files again; the old certificate stays if that fails.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn reload(&self) -> Result<(), TlsError> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = changed(&self.chain, &self.key);
        let fresh = Arc::new(read(&self.chain, &self.key)?);
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Reads the files again whenever they change, for ever.
    pub async fn follow(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let certificate = self.clone();
            // Disks may be slow, or networks.
            let looked = tokio::task::spawn_blocking(move || certificate.look()).await;
            if let Err(panic) = looked {
                warn!(%panic, "the certificate's files could not be looked at");
            }
        }
    }

    fn look(&self) {
        if changed(&self.chain, &self.key) == *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            return;
        }
        match self.reload() {
            Ok(()) => info!("the certificate has changed"),
            Err(error) => warn!(%error, "the old certificate stays"),
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.present.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

pub(super) fn provider() -> CryptoProvider {
    ring::default_provider()
}

/// When chain and key were changed last.
type Changed = [Option<SystemTime>; 2];

fn changed(chain: &Path, key: &Path) -> Changed {
    [chain, key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
}

fn read(chain: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let problem = |problem: String| TlsError {
        certificate: chain.display().to_string(),
        key: key.display().to_string(),
        problem,
    };
    let unreadable = |error: pem::Error| problem(error.to_string());
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(problem("there is no certificate in it".into()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable)?;
    CertifiedKey::from_der(certificates, key, &provider()).map_err(|error| problem(error.to_string()))
}
