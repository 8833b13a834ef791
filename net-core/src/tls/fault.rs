//! Why TLS failed, in this crate's words.

use rustls::CertificateError;

use crate::TlsFault;

impl TlsFault {
    pub(crate) fn from_rustls(error: &rustls::Error) -> Self {
        use rustls::Error as E;
        match error {
            E::InvalidCertificate(certificate) => match certificate {
                CertificateError::UnknownIssuer => Self::UnknownIssuer,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
                _ => Self::BadCertificate,
            },
            E::NoCertificatesPresented => Self::CertificateRequired,
            E::NoApplicationProtocol => Self::NoApplicationProtocol,
            E::InvalidMessage(_) => Self::NotTls,
            E::AlertReceived(alert) => match alert {
                rustls::AlertDescription::CertificateRequired => Self::CertificateRequired,
                rustls::AlertDescription::NoApplicationProtocol => Self::NoApplicationProtocol,
                _ => Self::Alert,
            },
            _ => Self::Protocol,
        }
    }
}
