package dev.holdfast.protocol.ceremony;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.protocol.x509.KeyKind;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Shares as people keep them: any m of n give the key back, on paper and typed badly.
class KeyShareTest {
    private static final SecureRandom RANDOM = new SecureRandom();

    private static List<KeyShare> split(int threshold, int count, byte[] secret) {
        return KeyShare.split("0badcafe", KeyKind.EC_P384, false, threshold, count, secret, RANDOM);
    }

    private static byte[] secret() {
        byte[] secret = new byte[48];
        RANDOM.nextBytes(secret);
        return secret;
    }

    @Test
    void anyThreeOfFiveGiveTheSecretBackAfterPaperAndTyping() throws Exception {
        byte[] secret = secret();
        List<KeyShare> shares = split(3, 5, secret);
        for (int a = 0; a < 5; a++) {
            for (int b = 0; b < 5; b++) {
                for (int c = 0; c < 5; c++) {
                    if (a != b && b != c && a != c) {
                        List<KeyShare> typed = new ArrayList<>();
                        for (int i : new int[] {a, b, c}) {
                            typed.add(KeyShare.parse("Kept by somebody.\n"
                                    + shares.get(i)
                                            .text()
                                            .toLowerCase(java.util.Locale.ROOT)
                                            .replace('0', 'o')
                                    + "\nthe end\n"));
                        }
                        assertThat(KeyShare.combine(typed)).isEqualTo(secret);
                    }
                }
            }
        }
        assertThat(KeyShare.combine(shares)).isEqualTo(secret); // more than enough
    }

    /// The definition, computed here: f(0) from the shares by Lagrange over GF(2^8) with x^8+x^4+x^3+x+1.
    @Test
    void theSharesAreShamirsByTheDefinition() throws Exception {
        byte[] secret = secret();
        List<KeyShare> shares = split(2, 3, secret);
        int[] x = {shares.get(0).index(), shares.get(2).index()};
        byte[][] y = {part(shares.get(0)), part(shares.get(2))};
        byte[] found = new byte[48];
        for (int i = 0; i < found.length; i++) {
            found[i] = (byte)
                    (times(y[0][i] & 0xff, over(x[1], x[1] ^ x[0])) ^ times(y[1][i] & 0xff, over(x[0], x[0] ^ x[1])));
        }
        assertThat(found).isEqualTo(secret);
    }

    private static byte[] part(KeyShare share) throws Exception {
        var field = KeyShare.class.getDeclaredField("part");
        field.setAccessible(true);
        return (byte[]) field.get(share);
    }

    private static int times(int a, int b) {
        int product = 0;
        for (int i = 0; i < 8; i++) {
            if ((b >> i & 1) == 1) {
                product ^= a << i;
            }
        }
        for (int i = 15; i >= 8; i--) {
            if ((product >> i & 1) == 1) {
                product ^= 0x11b << (i - 8);
            }
        }
        return product;
    }

    private static int over(int a, int b) {
        int inverse = 1;
        for (int i = 0; i < 254; i++) {
            inverse = times(inverse, b);
        }
        return times(a, inverse);
    }

    @Test
    void tooFewTheSameTwiceOrOfDifferentCeremoniesAreRefused() {
        List<KeyShare> shares = split(3, 5, secret());
        assertThatThrownBy(() -> KeyShare.combine(shares.subList(0, 2))).hasMessageContaining("3 are needed");
        assertThatThrownBy(() -> KeyShare.combine(List.of(shares.get(0), shares.get(1), shares.get(0))))
                .hasMessageContaining("given twice");
        List<KeyShare> others = KeyShare.split("00000001", KeyKind.EC_P384, false, 3, 5, secret(), RANDOM);
        assertThatThrownBy(() -> KeyShare.combine(List.of(shares.get(0), shares.get(1), others.get(2))))
                .hasMessageContaining("different ceremonies");
        List<KeyShare> practice = KeyShare.split("0badcafe", KeyKind.EC_P384, true, 3, 5, secret(), RANDOM);
        assertThatThrownBy(() -> KeyShare.combine(List.of(shares.get(0), shares.get(1), practice.get(2))))
                .hasMessageContaining("REHEARSAL");
        assertThatThrownBy(() -> KeyShare.combine(List.of())).hasMessageContaining("no shares");
    }

    @Test
    void twoSharesOfThreeSayNothingAboutTheSecret() throws Exception {
        // With one share less every value of an octet is as likely: two secrets, the same two shares are possible for
        // both.
        byte[] zero = new byte[48];
        int[] seen = new int[256];
        for (int i = 0; i < 400; i++) {
            for (byte octet : part(split(3, 3, zero).getFirst())) {
                seen[octet & 0xff]++;
            }
        }
        for (int count : seen) { // 19,200 octets, 75 of each expected; 30 and 140 are beyond five deviations
            assertThat(count).isBetween(30, 140);
        }
    }

    @Test
    void aMistypedLineIsNamedAndALostOneTold() throws Exception {
        String text = split(2, 3, secret()).getFirst().text();
        String[] lines = text.lines().toArray(String[]::new);
        assertThat(lines).hasSize(5);
        assertThat(KeyShare.parse(text).toString())
                .isEqualTo("share 1 of 3, any 2 of which restore the key of root 0badcafe");
        char wrong = lines[2].charAt(8) == '7' ? '8' : '7';
        String mistyped = text.replace(lines[2], lines[2].substring(0, 8) + wrong + lines[2].substring(9));
        assertThatThrownBy(() -> KeyShare.parse(mistyped)).hasMessageContaining("HF1.3");
        assertThatThrownBy(() -> KeyShare.parse(text.replace(lines[4], ""))).isInstanceOf(ShareFormatException.class);
        assertThatThrownBy(() -> KeyShare.parse(text.replace(lines[1], ""))).hasMessageContaining("missing");
        assertThatThrownBy(() -> KeyShare.parse(text + text)).hasMessageContaining("twice");
        assertThatThrownBy(() -> KeyShare.parse("")).hasMessageContaining("missing");
    }

    @Test
    void noisyTextNeverGivesAShareAndOnlyThatExceptionIsThrown() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        String text = split(2, 3, secret()).getFirst().text();
        for (int i = 0; i < 5_000; i++) {
            StringBuilder changed = new StringBuilder(text);
            for (int n = 0; n <= random.nextInt(3); n++) {
                int at = random.nextInt(changed.length());
                changed.setCharAt(at, (char) (33 + random.nextInt(90)));
            }
            try {
                assertThat(KeyShare.parse(changed.toString()).text()).isEqualTo(text);
            } catch (ShareFormatException expected) {
                assertThat(expected.getMessage()).isNotNull();
            }
        }
    }

    @Test
    void noTextHoldsTheShare() {
        KeyShare share = split(2, 3, secret()).getFirst();
        assertThat(share.text()).contains("HF1.1");
        assertThat(share.toString()).doesNotContain(share.text().substring(6, 11));
    }
}
