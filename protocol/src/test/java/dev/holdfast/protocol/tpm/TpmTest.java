package dev.holdfast.protocol.tpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.testkit.SoftTpm;
import dev.holdfast.testkit.SoftTpm.Life;
import dev.holdfast.testkit.SoftTpm.TpmKey;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// TPM structures, against a TPM written apart from them.
class TpmTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final TpmKey RSA_EK = SoftTpm.rsa(SoftTpm.EK);
    private static final TpmKey EC_EK = SoftTpm.ec(SoftTpm.EK);
    private static final TpmKey AK = SoftTpm.ec(SoftTpm.AK);
    private static final TpmKey RSA_AK = SoftTpm.rsa(SoftTpm.AK);
    private static final byte[] NONCE =
            "a nonce of some thirty-two bytes".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    private static String hex(byte[] octets) {
        return HexFormat.of().formatHex(octets);
    }

    private static TpmFormatException.Reason refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable reading) {
        return catchThrowableOfType(TpmFormatException.class, reading).reason();
    }

    @Test
    void readsKeysOfBothKindsWithTheirNames() throws Exception {
        for (TpmKey key : List.of(RSA_EK, EC_EK, AK, RSA_AK)) {
            TpmPublic read = TpmPublic.parseSized(key.sized());
            assertThat(read.key().getEncoded()).isEqualTo(key.pair().getPublic().getEncoded());
            assertThat(read.name()).isEqualTo(hex(key.name()));
            assertThat(read.area()).isEqualTo(key.area());
        }
        assertThat(TpmPublic.parse(RSA_EK.area()).symmetricBits()).contains(128);
        assertThat(TpmPublic.parse(AK.area()).scheme()).contains(new TpmScheme(TpmScheme.Kind.ECDSA, TpmHash.SHA256));
    }

    @Test
    void onlyTheTpmOfTheEndorsementKeyOpensACredentialAndOnlyForThatName() throws Exception {
        byte[] value = new byte[32];
        RANDOM.nextBytes(value);
        for (TpmKey ek : List.of(RSA_EK, EC_EK)) {
            TpmCredential made = TpmCredential.make(TpmPublic.parse(ek.area()), hex(AK.name()), value, RANDOM);
            assertThat(SoftTpm.activate(ek, AK.name(), made.blob(), made.secret()))
                    .isEqualTo(value);
            assertThatThrownBy(() -> SoftTpm.activate(ek, RSA_AK.name(), made.blob(), made.secret()))
                    .hasMessageContaining("INTEGRITY");
        }
        TpmCredential made = TpmCredential.make(TpmPublic.parse(EC_EK.area()), hex(AK.name()), value, RANDOM);
        assertThatThrownBy(() -> SoftTpm.activate(SoftTpm.ec(SoftTpm.EK), AK.name(), made.blob(), made.secret()))
                .hasMessageContaining("INTEGRITY");
    }

    @Test
    void aQuoteSaysWhichRegistersAndVerifiesUnderItsKeyOnly() throws Exception {
        byte[] values = new byte[96];
        RANDOM.nextBytes(values);
        for (TpmKey ak : List.of(AK, RSA_AK)) {
            byte[] attest = SoftTpm.quote(ak, List.of(0, 7, 16), values, NONCE, Life.FIRST);
            TpmQuote quote = TpmQuote.parse(attest);
            assertThat(quote.statement().extraData()).isEqualTo(hex(NONCE));
            assertThat(quote.statement().resetCount()).isEqualTo(1);
            assertThat(quote.selections())
                    .hasSize(1)
                    .first()
                    .extracting(PcrSelection::text)
                    .isEqualTo("sha256:0,7,16");
            PcrValues read = PcrValues.parse(quote.selections(), values);
            assertThat(read.digest(TpmHash.SHA256)).isEqualTo(quote.pcrDigest());
            assertThat(read.byName().get("sha256:7")).isEqualTo(hex(Arrays.copyOfRange(values, 32, 64)));

            TpmSignature signature = TpmSignature.parse(SoftTpm.sign(ak, attest));
            TpmPublic key = TpmPublic.parse(ak.area());
            assertThat(signature.verifies(key, attest)).isTrue();
            assertThat(signature.verifies(TpmPublic.parse(SoftTpm.ec(SoftTpm.AK).area()), attest))
                    .isFalse();
            attest[40] ^= 1;
            assertThat(signature.verifies(key, attest)).isFalse();
        }
    }

    @Test
    void aCertificationNamesTheKey() throws Exception {
        TpmKey device = SoftTpm.ec(SoftTpm.DEVICE);
        TpmCertification read = TpmCertification.parse(SoftTpm.certify(AK, device, NONCE, Life.FIRST));
        assertThat(read.name()).isEqualTo(TpmPublic.parse(device.area()).name());
    }

    @Test
    void refusesAWrongMagicAndAWrongType() {
        byte[] quoted = SoftTpm.quoted(List.of(0), new byte[32]);
        assertThat(refused(() -> TpmQuote.parse(
                        SoftTpm.attest(0xff544348, SoftTpm.QUOTE, AK.name(), NONCE, Life.FIRST, quoted))))
                .isEqualTo(TpmFormatException.Reason.WRONG_MAGIC);
        assertThat(refused(() -> TpmQuote.parse(SoftTpm.certify(AK, AK, NONCE, Life.FIRST))))
                .isEqualTo(TpmFormatException.Reason.WRONG_TYPE);
        assertThat(refused(
                        () -> TpmCertification.parse(SoftTpm.quote(AK, List.of(0), new byte[32], NONCE, Life.FIRST))))
                .isEqualTo(TpmFormatException.Reason.WRONG_TYPE);
    }

    @Test
    void refusesOctetsAfterTheEndAndCutOnes() {
        byte[] quote = SoftTpm.quote(AK, List.of(0), new byte[32], NONCE, Life.FIRST);
        assertThat(refused(() -> TpmQuote.parse(Arrays.copyOf(quote, quote.length + 1))))
                .isEqualTo(TpmFormatException.Reason.MALFORMED);
        for (int length = 0; length < quote.length; length++) {
            byte[] cut = Arrays.copyOf(quote, length);
            assertThat(refused(() -> TpmQuote.parse(cut))).isEqualTo(TpmFormatException.Reason.MALFORMED);
        }
        byte[] key = AK.sized();
        assertThat(refused(() -> TpmPublic.parseSized(Arrays.copyOf(key, key.length + 1))))
                .isEqualTo(TpmFormatException.Reason.MALFORMED);
    }

    @Test
    void refusesAPointThatIsNotOnItsCurveAndReservedAttributes() {
        byte[] area = AK.area().clone();
        area[area.length - 1] ^= 1;
        assertThat(refused(() -> TpmPublic.parse(area))).isEqualTo(TpmFormatException.Reason.MALFORMED);
        assertThat(refused(() -> TpmPublic.parse(SoftTpm.ec(SoftTpm.AK | 1).area())))
                .isEqualTo(TpmFormatException.Reason.MALFORMED);
    }

    @Test
    void everyMissingAttributeOfAnAttestationKeyIsAFault() throws Exception {
        assertThat(faults(SoftTpm.AK)).isEmpty();
        assertThat(faults(SoftTpm.AK & ~SoftTpm.RESTRICTED)).contains(TpmKeyFault.NOT_RESTRICTED);
        assertThat(faults(SoftTpm.AK & ~SoftTpm.FIXED_TPM)).containsExactly(TpmKeyFault.NOT_FIXED_TPM);
        assertThat(faults(SoftTpm.AK & ~SoftTpm.FIXED_PARENT)).containsExactly(TpmKeyFault.NOT_FIXED_PARENT);
        assertThat(faults(SoftTpm.AK & ~SoftTpm.ORIGIN)).containsExactly(TpmKeyFault.NOT_MADE_BY_THE_TPM);
        assertThat(faults(SoftTpm.EK)).contains(TpmKeyFault.NOT_FOR_SIGNING, TpmKeyFault.FOR_DECRYPTION);
        assertThat(TpmKeyFault.ofEndorsementKey(TpmPublic.parse(RSA_EK.area()))).isEmpty();
        assertThat(TpmKeyFault.ofEndorsementKey(TpmPublic.parse(AK.area())))
                .contains(TpmKeyFault.NOT_FOR_DECRYPTION, TpmKeyFault.FOR_SIGNING, TpmKeyFault.NO_SYMMETRIC_KEY);
    }

    private static java.util.Set<TpmKeyFault> faults(int attributes) throws TpmFormatException {
        return TpmKeyFault.ofAttestationKey(
                TpmPublic.parse(SoftTpm.ec(attributes).area()));
    }

    @Test
    void selectionsAreWrittenAsToolsWriteThem() {
        PcrSelection selection = PcrSelection.parse("sha384:0,1,23");
        assertThat(selection).isEqualTo(new PcrSelection(TpmHash.SHA384, new TreeSet<>(List.of(0, 1, 23))));
        assertThat(selection.text()).isEqualTo("sha384:0,1,23");
        for (String wrong : List.of("", "sha256", "sha256:", "sha256:24", "sha256:-1", "sha257:1", "sha256:a")) {
            assertThatThrownBy(() -> PcrSelection.parse(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
