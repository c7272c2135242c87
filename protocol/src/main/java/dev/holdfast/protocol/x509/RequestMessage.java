package dev.holdfast.protocol.x509;

import java.io.IOException;
import java.security.PublicKey;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.crmf.CertReqMsg;
import org.bouncycastle.asn1.crmf.CertTemplate;
import org.bouncycastle.asn1.crmf.POPOSigningKey;
import org.bouncycastle.asn1.crmf.ProofOfPossession;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extensions;

/// A certificate request message (CRMF, RFC 4211) and its proof of possession.
final class RequestMessage {
    private static final int MOST_OCTETS = 16 * 1024;

    private RequestMessage() {}

    /// 1. The template holds what a requester may say: subject, key, extensions, and wishes that the profile
    /// decides (issuer, validity). 2. The key. 3. The proof is a signature by it over the CertRequest (RFC
    /// 9483 section 4.1.1): nobody proves possession on behalf of a device here (raVerified), and keys that
    /// only encipher get no certificates. 4. The signature.
    static CertificationRequest verify(CertReqMsg message) throws CertificationRequestException {
        try {
            byte[] der = message.getEncoded(ASN1Encoding.DER);
            if (der.length > MOST_OCTETS) {
                throw new CertificationRequestException(
                        CertificationRequestException.Reason.MALFORMED,
                        "a request of " + der.length + " octets is not accepted");
            }
            CertTemplate template = message.getCertReq().getCertTemplate();
            requireRequestersFieldsOnly(template);
            if (template.getPublicKey() == null) {
                throw new CertificationRequestException(
                        CertificationRequestException.Reason.KEY_NOT_ACCEPTED,
                        "the template has no public key; keys are made on the device");
            }
            PublicKey key = CertificationRequest.key(template.getPublicKey());
            POPOSigningKey proof = proof(message.getPopo());
            byte[] signed = message.getCertReq().getEncoded(ASN1Encoding.DER);
            if (!Crypto.verify(
                    key,
                    CertificationRequest.scheme(key, proof.getAlgorithmIdentifier()),
                    signed,
                    proof.getSignature().getOctets())) {
                throw notProven("the request is not signed by the key it asks a certificate for");
            }
            Optional<Extensions> extensions = Optional.ofNullable(template.getExtensions());
            return new CertificationRequest(
                    der,
                    template.getSubject() == null
                            ? X500Name.getInstance(new org.bouncycastle.asn1.DERSequence())
                            : template.getSubject(),
                    template.getPublicKey(),
                    key,
                    extensions);
        } catch (IOException | RuntimeException e) {
            throw new CertificationRequestException(
                    CertificationRequestException.Reason.MALFORMED, "not a certificate request message", e);
        }
    }

    private static void requireRequestersFieldsOnly(CertTemplate template) throws CertificationRequestException {
        if (template.getSerialNumber() != null
                || template.getSigningAlg() != null
                || template.getIssuerUID() != null
                || template.getSubjectUID() != null
                || (template.getVersion() != -1 && template.getVersion() != 2)) {
            throw new CertificationRequestException(
                    CertificationRequestException.Reason.MALFORMED,
                    "the template has fields that only an authority fills");
        }
    }

    private static POPOSigningKey proof(
            org.bouncycastle.asn1.crmf.@org.jspecify.annotations.Nullable ProofOfPossession proof)
            throws CertificationRequestException {
        if (proof == null) {
            throw notProven("the request has no proof of possession: sign it with the key it asks a certificate for");
        }
        return switch (proof.getType()) {
            case ProofOfPossession.TYPE_SIGNING_KEY -> {
                POPOSigningKey key = POPOSigningKey.getInstance(proof.getObject());
                if (key.getPoposkInput() != null) {
                    throw notProven("poposkInput is not used: subject and key are in the template");
                }
                yield key;
            }
            case ProofOfPossession.TYPE_RA_VERIFIED ->
                throw notProven("nobody here proves possession on a device's behalf (raVerified): sign the request");
            default -> throw notProven("certificates are for keys that sign: no proof by enciphering or key agreement");
        };
    }

    private static CertificationRequestException notProven(String why) {
        return new CertificationRequestException(CertificationRequestException.Reason.SIGNATURE_WRONG, why);
    }
}
