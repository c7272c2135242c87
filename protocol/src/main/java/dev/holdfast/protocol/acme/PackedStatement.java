package dev.holdfast.protocol.acme;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/// Format `packed` (Web Authentication section 8.2) with an attestation certificate: the signature is right,
/// and for this challenge. Whom the certificates' root speaks for is the caller's question.
///
/// @param chain the attestation certificate first
/// @param keyFingerprint SHA-256 of the SubjectPublicKeyInfo of the key that is vouched for
public record PackedStatement(List<X509Certificate> chain, String keyFingerprint) {
    private static final int HEADER = 37;
    private static final int ATTESTED = 0x40;

    /// What is signed is the key authorization; with authenticator data, that and the SHA-256 of the key
    /// authorization (where browsers have the hash of the client data). The key vouched for is the one in the
    /// authenticator data; without any, the attestation certificate's own.
    ///
    /// @throws AcmeException `badAttestationStatement`
    public static PackedStatement verify(AttestationObject object, String keyAuthorization) throws AcmeException {
        X509Certificate leaf = object.statement().chain().getFirst();
        byte[] digest = ChallengeType.digest(keyAuthorization);
        byte[] signed = object.authData().length == 0
                ? keyAuthorization.getBytes(java.nio.charset.StandardCharsets.UTF_8)
                : ByteBuffer.allocate(object.authData().length + digest.length)
                        .put(object.authData())
                        .put(digest)
                        .array();
        String scheme = scheme(object.statement().algorithm());
        if (!Crypto.verify(
                leaf.getPublicKey(), scheme, signed, object.statement().signature())) {
            throw AttestationObject.bad("the statement is not signed by its certificate's key for this challenge");
        }
        if (leaf.getBasicConstraints() >= 0) {
            throw AttestationObject.bad("the attestation certificate is a CA's");
        }
        byte[] key =
                object.authData().length == 0 ? leaf.getPublicKey().getEncoded() : credentialKey(object.authData());
        return new PackedStatement(object.statement().chain(), Certificates.keyFingerprint(key));
    }

    private static String scheme(long algorithm) throws AcmeException {
        return switch ((int) algorithm) {
            case -7 -> "SHA256withECDSA";
            case -35 -> "SHA384withECDSA";
            case -8 -> "Ed25519";
            case -257 -> "SHA256withRSA";
            default -> throw AttestationObject.bad("algorithms are ES256, ES384, EdDSA and RS256");
        };
    }

    /// Web Authentication section 6.1: 32 octets of hash, flags, counter; with bit 6 of the flags an AAGUID, an
    /// id with its length, and the key as a COSE_Key (RFC 9052 section 7).
    private static byte[] credentialKey(byte[] authData) throws AcmeException {
        if (authData.length < HEADER + 18 || (authData[32] & ATTESTED) == 0) {
            throw AttestationObject.bad("the authenticator data has no key");
        }
        int idLength = ByteBuffer.wrap(authData, HEADER + 16, 2).getShort() & 0xffff;
        int start = HEADER + 18 + idLength;
        if (start >= authData.length) {
            throw AttestationObject.bad("the authenticator data ends before its key");
        }
        return key(AttestationObject.cbor(java.util.Arrays.copyOfRange(authData, start, authData.length)));
    }

    private static byte[] key(JsonNode cose) throws AcmeException {
        try {
            SubjectPublicKeyInfo info = switch (cose.path("1").asInt()) {
                case 2 -> ec(cose);
                case 3 ->
                    new SubjectPublicKeyInfo(
                            new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                            new RSAPublicKey(
                                    new BigInteger(1, cose.path("-1").binaryValue()),
                                    new BigInteger(1, cose.path("-2").binaryValue())));
                default -> throw AttestationObject.bad("the key is neither EC nor RSA");
            };
            byte[] der = info.getEncoded(ASN1Encoding.DER);
            PublicKey read =
                    Crypto.publicKey(Crypto.algorithm(info.getAlgorithm()).orElseThrow(), der);
            return read.getEncoded();
        } catch (IOException | java.security.GeneralSecurityException | RuntimeException e) {
            throw AttestationObject.bad("the key in the authenticator data can't be read");
        }
    }

    private static SubjectPublicKeyInfo ec(JsonNode cose) throws IOException, AcmeException {
        int curve = cose.path("-1").asInt();
        if (curve != 1 && curve != 2) {
            throw AttestationObject.bad("curves are P-256 and P-384");
        }
        int length = curve == 1 ? 32 : 48;
        byte[] x = cose.path("-2").binaryValue();
        byte[] y = cose.path("-3").binaryValue();
        if (x == null || y == null || x.length != length || y.length != length) {
            throw AttestationObject.bad("the point's coordinates are not of the curve's length");
        }
        return new SubjectPublicKeyInfo(
                new AlgorithmIdentifier(
                        X9ObjectIdentifiers.id_ecPublicKey,
                        curve == 1 ? SECObjectIdentifiers.secp256r1 : SECObjectIdentifiers.secp384r1),
                ByteBuffer.allocate(1 + 2 * length).put((byte) 4).put(x).put(y).array());
    }
}
