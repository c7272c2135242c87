package dev.holdfast.protocol.acme;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.protocol.Wycheproof;
import dev.holdfast.protocol.Wycheproof.Case;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Project Wycheproof's vectors through ACME's own reading of JSON Web Keys and of R and S side by side.
class WycheproofAcmeTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "ecdsa_secp256r1_sha256_p1363_test",
                "ecdsa_secp384r1_sha384_p1363_test",
                "ed25519_test",
                "rsa_signature_2048_sha256_test",
                "rsa_signature_3072_sha256_test"
            })
    void signaturesOfAccountsAreReadAsWycheproofHasThem(String file) {
        // Keys with an exponent below 65537 are not accepted, nor those that have no JSON Web Key.
        Wycheproof.holdsTo(file, WycheproofAcmeTest::verifies, one -> !isStrong(one), _ -> false);
    }

    /// Points that are not on their curve, and curves that are none of ours, as keys of accounts. A key of the other
    /// curve is wrong for its peer in the vectors, not for an account.
    @ParameterizedTest
    @CsvSource({"ecdh_secp256r1_webcrypto_test, P-384", "ecdh_secp384r1_webcrypto_test, P-256"})
    void keysOfAccountsAreReadAsWycheproofHasThem(String file, String otherCurve) {
        Wycheproof.holdsTo(
                file,
                one -> isKey(one.test().get("public")),
                _ -> false,
                one -> one.test().get("public").path("crv").asText().equals(otherCurve));
    }

    private static boolean isKey(JsonNode jwk) {
        try {
            return AcmeKey.parse(jwk.toString()).algorithm().startsWith("ES");
        } catch (AcmeException noKey) {
            return false;
        }
    }

    private static JsonNode jwk(Case one) {
        JsonNode jwk = one.group().path("publicKeyJwk");
        return jwk.isMissingNode() ? one.group().path("keyJwk") : jwk;
    }

    private static boolean isStrong(Case one) {
        JsonNode jwk = jwk(one);
        return jwk.isObject()
                && (!jwk.path("kty").asText().equals("RSA")
                        || jwk.path("e").asText().equals("AQAB"));
    }

    private static boolean verifies(Case one) {
        try {
            return AcmeKey.parse(jwk(one).toString()).verify(one.message(), one.signature());
        } catch (AcmeException noKey) {
            return false;
        }
    }
}
