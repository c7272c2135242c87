package dev.holdfast.protocol.tpm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testkit.MeasuredBoot;
import dev.holdfast.testkit.SoftTpm;
import dev.holdfast.testkit.SoftTpm.Life;
import dev.holdfast.testkit.SoftTpm.TpmKey;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Whatever bytes come, a codec answers with a value or with its one checked exception.
class TpmFuzzTest {
    private static final int ROUNDS = 3_000;
    private static final TpmKey AK = SoftTpm.ec(SoftTpm.AK);

    @FunctionalInterface
    private interface Parser {
        Object parse(byte[] bytes) throws TpmFormatException;
    }

    private static void fuzz(String what, byte[] good, Parser parser) throws TpmFormatException {
        assertThat(parser.parse(good)).isNotNull();
        long seed = new SecureRandom().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = Arrays.copyOf(good, random.nextInt(3) == 0 ? random.nextInt(good.length + 20) : good.length);
            for (int i = random.nextInt(5); i > 0 && bytes.length > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                assertThat(parser.parse(bytes)).isNotNull();
            } catch (TpmFormatException expected) {
                assertThat(expected.reason()).isNotNull();
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
                throw new AssertionError(
                        what + ", seed " + seed + ", round " + round + ": "
                                + HexFormat.of().formatHex(bytes),
                        e);
            }
        }
    }

    @Test
    void keys() throws Exception {
        fuzz("EC key", AK.area(), TpmPublic::parse);
        fuzz("RSA key", SoftTpm.rsa(SoftTpm.EK).sized(), TpmPublic::parseSized);
    }

    @Test
    void attestations() throws Exception {
        fuzz("quote", SoftTpm.quote(AK, List.of(0, 1), new byte[64], new byte[32], Life.FIRST), TpmQuote::parse);
        fuzz("certification", SoftTpm.certify(AK, AK, new byte[32], Life.FIRST), TpmCertification::parse);
    }

    @Test
    void signatures() throws Exception {
        TpmPublic key = TpmPublic.parse(AK.area());
        byte[] message = {1, 2, 3};
        fuzz(
                "ECDSA",
                SoftTpm.sign(AK, message),
                bytes -> TpmSignature.parse(bytes).verifies(key, message));
        TpmKey rsa = SoftTpm.rsa(SoftTpm.AK);
        fuzz("RSASSA", SoftTpm.sign(rsa, message), TpmSignature::parse);
    }

    @Test
    void eventLogs() throws Exception {
        fuzz("event log", EventLogTest.log(), bytes -> EventLog.parse(bytes).replay(TpmHash.SHA256));
        byte[] boot = new MeasuredBoot()
                .firmware("1.4.0")
                .variable("SecureBoot", new byte[] {1})
                .application("\\EFI\\BOOT\\BOOTX64.EFI", "image")
                .separators()
                .log();
        fuzz("event log in words", boot, bytes -> {
            EventLog log = EventLog.parse(bytes);
            log.events()
                    .forEach(event -> assertThat(event.words(TpmHash.SHA256))
                            .hasSizeLessThan(200)
                            .matches("[ -~]+"));
            return log;
        });
    }
}
