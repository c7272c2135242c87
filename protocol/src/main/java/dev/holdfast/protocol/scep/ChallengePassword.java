package dev.holdfast.protocol.scep;

import java.util.Optional;
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.asn1.pkcs.Attribute;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;

/// The one-time secret in a PKCS #10 request (RFC 2985 section 5.4.1, RFC 8894 section 2.3).
public final class ChallengePassword {
    private ChallengePassword() {}

    /// @param request DER, verified before
    /// @return empty when there is none, or more than one
    public static Optional<String> of(byte[] request) {
        try {
            var attributes = CertificationRequest.getInstance(request)
                    .getCertificationRequestInfo()
                    .getAttributes();
            String found = null;
            if (attributes != null) {
                for (var one : attributes) {
                    Attribute attribute = Attribute.getInstance(one);
                    if (attribute.getAttrType().equals(PKCSObjectIdentifiers.pkcs_9_at_challengePassword)) {
                        if (found != null
                                || attribute.getAttrValues().size() != 1
                                || !(attribute.getAttrValues().getObjectAt(0) instanceof ASN1String text)) {
                            return Optional.empty();
                        }
                        found = text.getString();
                    }
                }
            }
            return Optional.ofNullable(found).filter(text -> text.length() <= 128);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
