package dev.holdfast.cmp;

import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.crmf.CertReqMsg;

/// The request of a transaction, as it is kept until it is decided.
final class StoredRequest {
    private StoredRequest() {}

    static Optional<CertificationRequest> read(CmpTransaction transaction) throws CertificationRequestException {
        Optional<ASN1OctetString> der = transaction.request();
        if (der.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                switch (transaction.kind()) {
                    case PKCS10 -> CertificationRequest.verify(der.get().getOctets());
                    case INITIALIZATION, CERTIFICATION, KEY_UPDATE ->
                        CertificationRequest.verify(
                                CertReqMsg.getInstance(der.get().getOctets()));
                    case REVOCATION -> throw new IllegalStateException("a revocation asks for no certificate");
                });
    }
}
