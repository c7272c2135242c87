package dev.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Names are spelt as the patterns say that stand here for people to read.
final class SpellingTest {
    private static final long SEED = 20261127;
    private static final String ALPHABET = "aZz09AfFg._-+ \n\u0000/é\uff11\u0660:";

    @Test
    void aDeviceIdIsALetterOrDigitThenLettersDigitsDotsLinesAndDashes() {
        compare(text -> Spelling.isName(text, 6), "[A-Za-z0-9][A-Za-z0-9._-]{0,5}");
    }

    @Test
    void anEnvironmentIsALowerCaseLetterThenSuchLettersDigitsAndDashes() {
        compare(text -> Spelling.isLowerCaseName(text, 6), "[a-z][a-z0-9-]{0,5}");
    }

    @Test
    void aSerialIsLowerCaseHexadecimalWithoutLeadingZeros() {
        compare(text -> Spelling.isNumber(text, 6), "0|[1-9a-f][0-9a-f]{0,5}");
    }

    private static void compare(Predicate<String> ours, String form) {
        Pattern pattern = Pattern.compile(form);
        Random random = new Random(SEED);
        int accepted = 0;
        for (int i = 0; i < 400_000; i++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(9);
            int most = i % 2 == 0 ? 7 : ALPHABET.length(); // half of them of what may stand there
            for (int at = 0; at < length; at++) {
                text.append(ALPHABET.charAt(random.nextInt(most)));
            }
            boolean expected = pattern.matcher(text).matches();
            accepted += expected ? 1 : 0;
            assertThat(ours.test(text.toString())).as("%s, seed %d", text, SEED).isEqualTo(expected);
        }
        assertThat(accepted).isGreaterThan(1_000);
    }
}
