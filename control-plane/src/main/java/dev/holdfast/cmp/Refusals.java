package dev.holdfast.cmp;

import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.protocol.cmp.CmpFailure;
import java.util.Map;

/// Why a certificate was not granted, in the protocol's terms (PKIFailureInfo).
final class Refusals {
    /// What RFC 9810 section 5.2.3 has words of its own for.
    private static final Map<EnrolmentRefusal, CmpFailure> OWN_WORDS = Map.ofEntries(
            Map.entry(EnrolmentRefusal.MALFORMED_REQUEST, CmpFailure.BAD_DATA_FORMAT),
            Map.entry(EnrolmentRefusal.EXTENSION_NOT_ACCEPTED, CmpFailure.UNACCEPTED_EXTENSION),
            Map.entry(EnrolmentRefusal.REQUEST_SIGNATURE_WRONG, CmpFailure.BAD_POP),
            Map.entry(EnrolmentRefusal.SIGNATURE_SCHEME_NOT_ACCEPTED, CmpFailure.BAD_ALG),
            Map.entry(EnrolmentRefusal.SECRET_WRONG, CmpFailure.BAD_MESSAGE_CHECK),
            Map.entry(EnrolmentRefusal.CERTIFICATE_EXPIRED, CmpFailure.SIGNER_NOT_TRUSTED),
            Map.entry(EnrolmentRefusal.CERTIFICATE_NOT_YET_VALID, CmpFailure.SIGNER_NOT_TRUSTED),
            Map.entry(EnrolmentRefusal.CERTIFICATE_UNKNOWN, CmpFailure.SIGNER_NOT_TRUSTED),
            Map.entry(EnrolmentRefusal.CERTIFICATE_REVOKED, CmpFailure.CERT_REVOKED),
            Map.entry(EnrolmentRefusal.CERTIFICATE_SUPERSEDED, CmpFailure.CERT_REVOKED),
            Map.entry(EnrolmentRefusal.PROFILE_IS_NOT_THE_CERTIFICATES, CmpFailure.BAD_REQUEST));

    private Refusals() {}

    static CmpFailure failure(EnrolmentRefusal reason) {
        CmpFailure own = OWN_WORDS.get(reason);
        return own != null
                ? own
                : switch (reason.status()) {
                    case BAD_REQUEST, CONFLICT -> CmpFailure.BAD_CERT_TEMPLATE;
                    case NO_SUCH_PROFILE -> CmpFailure.BAD_REQUEST;
                    case NOT_BOUND, NOT_AUTHENTICATED, NOT_ALLOWED -> CmpFailure.NOT_AUTHORIZED;
                    case NOT_NOW -> CmpFailure.SYSTEM_UNAVAIL;
                };
    }
}
