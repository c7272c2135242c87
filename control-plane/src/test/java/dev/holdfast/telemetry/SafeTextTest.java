package dev.holdfast.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SafeTextTest {
    @Test
    void plainTextStaysAsItIs() {
        assertThat(SafeText.of("Zähler 7: 230 V <ok> 測定", 100)).isEqualTo("Zähler 7: 230 V <ok> 測定");
    }

    @Test
    void nothingCanEndALineOrMoveACursor() {
        assertThat(SafeText.of("a\r\nINFO forged\u001b[2Jb\u0000", 100))
                .isEqualTo("a\\u{d}\\u{a}INFO forged\\u{1b}[2Jb\\u{0}");
        assertThat(SafeText.of("x\u0085y\u2028z\u2029", 100)).isEqualTo("x\\u{85}y\\u{2028}z\\u{2029}");
    }

    @Test
    void nothingCanTurnTheReadingDirectionOrHide() {
        assertThat(SafeText.of("pay \u202e001\u202c\u2066x\u200b\ufeff", 100))
                .isEqualTo("pay \\u{202e}001\\u{202c}\\u{2066}x\\u{200b}\\u{feff}");
        assertThat(SafeText.of("lone \ud800 surrogate", 100)).isEqualTo("lone \\u{d800} surrogate");
    }

    @Test
    void anEscapeCantBeForged() {
        assertThat(SafeText.of("\\u{a}", 100)).isEqualTo("\\\\u{a}");
    }

    @Test
    void whatIsTooLongIsCutAndSaysSo() {
        assertThat(SafeText.of("abcdef", 6)).isEqualTo("abcdef");
        assertThat(SafeText.of("abcdefg", 6)).isEqualTo("abcde…");
        assertThat(SafeText.of("abcd\n", 6)).isEqualTo("abcd…");
    }

    @Test
    void anyTextBecomesBoundedAndVisible() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            StringBuilder raw = new StringBuilder();
            for (int n = random.nextInt(60); n > 0; n--) {
                switch (random.nextInt(4)) {
                    case 0 -> raw.append((char) random.nextInt(0x10000));
                    case 1 -> raw.appendCodePoint(random.nextInt(0x110000));
                    case 2 -> raw.append((char) random.nextInt(0x80));
                    default -> raw.append('\\');
                }
            }
            int most = 1 + random.nextInt(40);
            String safe = SafeText.of(raw.toString(), most);
            assertThat(safe.length()).as("seed %d", seed).isLessThanOrEqualTo(most);
            assertThat(safe.codePoints()
                            .noneMatch(p -> Character.isISOControl(p)
                                    || Character.getType(p) == Character.FORMAT
                                    || Character.getType(p) == Character.SURROGATE))
                    .as("seed %d: %s", seed, safe)
                    .isTrue();
        }
    }
}
