package dev.holdfast.protocol.tpm;

import dev.holdfast.protocol.Wycheproof;
import dev.holdfast.protocol.Wycheproof.Case;
import dev.holdfast.protocol.x509.Crypto;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Project Wycheproof's vectors through the reading of TPMT_SIGNATURE.
class WycheproofTpmTest {
    /// A TPM's salt is as long as the digest or as it can be (part 1 appendix B.7); the vectors' are of one length.
    @ParameterizedTest
    @CsvSource({
        "rsa_pss_2048_sha256_mgf1_32_test, SHA256, 222",
        "rsa_pss_2048_sha384_mgf1_48_test, SHA384, 206",
        "rsa_pss_3072_sha256_mgf1_32_test, SHA256, 350",
        "rsa_pss_4096_sha256_mgf1_32_test, SHA256, 478",
        "rsa_pss_4096_sha384_mgf1_48_test, SHA384, 462",
        "rsa_pss_4096_sha512_mgf1_64_test, SHA512, 446"
    })
    void pssSignaturesAreReadAsWycheproofHasThem(String file, TpmHash hash, int largest) {
        Wycheproof.holdsTo(file, one -> pss(one, hash), _ -> false, one -> hasSalt(one, largest));
    }

    @ParameterizedTest
    @CsvSource({"rsa_pss_2048_sha256_mgf1_0_test, SHA256, 222", "rsa_pss_4096_sha512_mgf1_32_test, SHA512, 446"})
    void pssSignaturesWithSaltsOfOtherLengthsAreRefused(String file, TpmHash hash, int largest) {
        Wycheproof.holdsTo(
                file, one -> pss(one, hash), _ -> true, one -> hasSalt(one, largest) || hasSalt(one, hash.octets()));
    }

    private static boolean pss(Case one, TpmHash hash) {
        return verifies(one, "RSA", new TpmScheme(TpmScheme.Kind.RSAPSS, hash), sized(one));
    }

    private static boolean hasSalt(Case one, int octets) {
        return one.test().get("comment").textValue().equals("s_len changed to " + octets);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rsa_signature_2048_sha256_test", "rsa_signature_3072_sha256_test"})
    void pkcs1SignaturesAreReadAsWycheproofHasThem(String file) {
        Wycheproof.holdsTo(
                file, one -> verifies(one, "RSA", new TpmScheme(TpmScheme.Kind.RSASSA, TpmHash.SHA256), sized(one)));
    }

    /// R and S of whatever size, each with its own length before it: as long as they are halves they are read.
    @ParameterizedTest
    @CsvSource({"ecdsa_secp256r1_sha256_p1363_test, SHA256, 32", "ecdsa_secp384r1_sha384_p1363_test, SHA384, 48"})
    void ecdsaSignaturesAreReadAsWycheproofHasThem(String file, TpmHash hash, int octets) {
        Wycheproof.holdsTo(file, one -> {
            byte[] both = one.signature();
            if (both.length != 2 * octets) {
                return false; // no TPM can say so: each number has its own length
            }
            byte[] r = Arrays.copyOf(both, octets);
            byte[] s = Arrays.copyOfRange(both, octets, both.length);
            byte[] numbers = new TpmWriter().sized(r).sized(s).bytes();
            return verifies(one, "EC", new TpmScheme(TpmScheme.Kind.ECDSA, hash), numbers);
        });
    }

    private static byte[] sized(Case one) {
        return new TpmWriter().sized(one.signature()).bytes();
    }

    private static boolean verifies(Case one, String algorithm, TpmScheme scheme, byte[] value) {
        try {
            byte[] statement = new TpmWriter()
                    .u16(scheme.kind().id())
                    .u16(scheme.hash().id())
                    .octets(value)
                    .bytes();
            return TpmSignature.parse(statement).verifies(Crypto.publicKey(algorithm, one.publicKey()), one.message());
        } catch (TpmFormatException | GeneralSecurityException refused) {
            return false;
        }
    }
}
