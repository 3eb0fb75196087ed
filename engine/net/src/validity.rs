//! From when and until when a certificate is good.

use ach_actors_model::{NS_PER_S, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Until when the first certificate of a PEM text is good; `None` if there is none.
pub fn valid_until(pem: &str) -> Option<Timestamp> {
    validity(pem).map(|(_, until)| until)
}

/// From when on the first certificate of a PEM text is good; `None` if there is none.
pub fn valid_from(pem: &str) -> Option<Timestamp> {
    validity(pem).map(|(from, _)| from)
}

fn validity(pem: &str) -> Option<(Timestamp, Timestamp)> {
    let der = CertificateDer::pem_slice_iter(pem.as_bytes()).next()?.ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let at = |since_1970_s: i64| {
        let since_1970_s = u64::try_from(since_1970_s).ok()?;
        Some(Timestamp(since_1970_s.saturating_mul(NS_PER_S)))
    };
    let validity = certificate.validity();
    Some((at(validity.not_before.timestamp())?, at(validity.not_after.timestamp())?))
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Name;

    use super::*;
    use crate::Authority;
    use crate::clock::since_1970;

    #[test]
    fn an_authority_is_good_for_twenty_years_and_a_text_that_is_none_has_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), &Name::new("st-anna").unwrap()).unwrap();
        let until = valid_until(authority.certificate_pem()).unwrap();
        let left_s = until.0 / NS_PER_S - since_1970().as_secs();
        assert!(left_s.abs_diff(365 * 20 * 86_400) < 3 * 3_600, "{left_s}");
        assert_eq!(
            valid_until("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            None
        );
        assert_eq!(valid_until(""), None);
    }
}
