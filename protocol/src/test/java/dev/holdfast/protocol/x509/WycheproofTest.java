package dev.holdfast.protocol.x509;

import dev.holdfast.protocol.Wycheproof;
import dev.holdfast.protocol.Wycheproof.Case;
import dev.holdfast.protocol.der.DerWriter;
import dev.holdfast.protocol.x509.CertificationRequestException.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Project Wycheproof's own vectors, every one of each file, through the one place by which requests,
/// certificates, CMP messages, ACME messages and TPM statements are verified, with the provider that the server
/// uses. [SignatureVectorsTest] has more of the same kind, with fresh keys.
class WycheproofTest {
    private static boolean verifies(Case one, String algorithm, String scheme) {
        return verifies(one.publicKey(), one, algorithm, scheme);
    }

    private static boolean verifies(byte[] publicKey, Case one, String algorithm, String scheme) {
        try {
            return Crypto.verify(Crypto.publicKey(algorithm, publicKey), scheme, one.message(), one.signature());
        } catch (GeneralSecurityException noKey) {
            return false;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "ecdsa_secp256r1_sha256_test, SHA256withECDSA",
        "ecdsa_secp256r1_sha512_test, SHA512withECDSA",
        "ecdsa_secp384r1_sha256_test, SHA256withECDSA",
        "ecdsa_secp384r1_sha384_test, SHA384withECDSA",
        "ecdsa_secp384r1_sha512_test, SHA512withECDSA"
    })
    void ecdsaSignaturesAreReadAsWycheproofHasThem(String file, String scheme) {
        Wycheproof.holdsTo(file, one -> verifies(one, "EC", scheme));
    }

    @Test
    void ed25519SignaturesAreReadAsWycheproofHasThem() {
        Wycheproof.holdsTo("ed25519_test", one -> verifies(one, "Ed25519", "Ed25519"));
    }

    /// A context is for protocols that have one; certificates, requests and CMP have the empty one (RFC 9881
    /// section 3), so what was signed with another is refused.
    @Test
    void mlDsa65SignaturesAreReadAsWycheproofHasThem() {
        Wycheproof.holdsTo(
                "mldsa_65_verify_test",
                one -> verifies(one, "ML-DSA", "ML-DSA-65"),
                one -> one.octets("ctx").length > 0,
                _ -> false);
    }

    /// What other implementations have signed with these keys; the invalid ones are such as can't be signed.
    @Test
    void mlDsa65SignaturesOfOthersAreVerified() {
        Wycheproof.holdsTo(
                "mldsa_65_sign_seed_test",
                one -> verifies(mlDsa65(one), one, "ML-DSA", "ML-DSA-65"),
                one -> one.octets("ctx").length > 0 || !one.test().has("msg"),
                _ -> false);
    }

    private static byte[] mlDsa65(Case one) {
        try {
            return new SubjectPublicKeyInfo(
                            new AlgorithmIdentifier(NISTObjectIdentifiers.id_ml_dsa_65),
                            HexFormat.of()
                                    .parseHex(one.group().path("publicKey").asText("")))
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Stricter than `acceptable`: DigestInfo without its NULL is refused (RFC 8017 section 9.2, note 2).
    @ParameterizedTest
    @CsvSource({
        "rsa_signature_2048_sha256_test, SHA256withRSA",
        "rsa_signature_2048_sha384_test, SHA384withRSA",
        "rsa_signature_2048_sha512_test, SHA512withRSA",
        "rsa_signature_3072_sha256_test, SHA256withRSA",
        "rsa_signature_3072_sha384_test, SHA384withRSA",
        "rsa_signature_3072_sha512_test, SHA512withRSA",
        "rsa_signature_4096_sha256_test, SHA256withRSA",
        "rsa_signature_4096_sha384_test, SHA384withRSA",
        "rsa_signature_4096_sha512_test, SHA512withRSA"
    })
    void rsaSignaturesAreReadAsWycheproofHasThem(String file, String scheme) {
        Wycheproof.holdsTo(file, one -> verifies(one, "RSA", scheme));
    }

    /// The vectors' peers' keys, asked a certificate for: points off the curve, curves that are made up,
    /// encodings that are not DER. A key that is taken gets as far as its signature, which is wrong.
    ///
    /// Stricter than `acceptable`: curves by their name alone, points uncompressed, and DER. A key of the other
    /// curve is wrong for its peer in the vectors, not for a certificate.
    @ParameterizedTest
    @CsvSource({"ecdh_secp256r1_test, secp384r1", "ecdh_secp384r1_test, secp256r1"})
    void publicKeysAreReadAsWycheproofHasThem(String file, String otherCurve) {
        Wycheproof.holdsTo(
                file,
                one -> refusal(one.octets("public")) == Reason.SIGNATURE_WRONG,
                _ -> false,
                one -> Set.of("using " + otherCurve, "Public key uses wrong curve: " + otherCurve)
                        .contains(one.test().get("comment").textValue()));
    }

    private static Reason refusal(byte[] publicKeyInfo) {
        try {
            byte[] info = element(
                    0x30,
                    new byte[] {2, 1, 0},
                    new X500Name("CN=meter-1").getEncoded(ASN1Encoding.DER),
                    publicKeyInfo,
                    new DERTaggedObject(false, 0, new DERSet()).getEncoded(ASN1Encoding.DER));
            byte[] scheme = SignatureSchemes.identifier("SHA256withECDSA").getEncoded(ASN1Encoding.DER);
            byte[] signature = new DERBitString(new byte[] {0x30, 6, 2, 1, 1, 2, 1, 1}).getEncoded(ASN1Encoding.DER);
            CertificationRequest.verify(element(0x30, info, scheme, signature));
            throw new AssertionError("a request with a made-up signature was taken");
        } catch (CertificationRequestException refused) {
            return refused.reason();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] element(int tag, byte[]... parts) {
        ByteArrayOutputStream contents = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            contents.writeBytes(part);
        }
        return new DerWriter(256).element(tag, contents.toByteArray()).toByteArray();
    }
}
