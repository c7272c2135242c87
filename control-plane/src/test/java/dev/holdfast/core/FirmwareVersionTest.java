package dev.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FirmwareVersionTest {
    @ParameterizedTest
    @CsvSource({
        "1.2.9, 1.2.10",
        "1.2, 1.2.1",
        "1.9, 1.10",
        "2.0-rc1, 2.0",
        "2.0-rc2, 2.0-rc10",
        "v9, v10",
        "1.0, 1.0a",
        "99999999999999999998, 99999999999999999999"
    })
    void theFirstIsOlder(String older, String newer) {
        assertThat(new FirmwareVersion(older)).isLessThan(new FirmwareVersion(newer));
        assertThat(new FirmwareVersion(newer)).isGreaterThan(new FirmwareVersion(older));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " 1", "1 ", "1/2", "../1", "-1", "1\n", "1\u202e2"})
    void refusesWhatCouldNotStandInAPathOrALog(String text) {
        assertThatThrownBy(() -> new FirmwareVersion(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesMoreThan64Characters() {
        assertThat(new FirmwareVersion("1".repeat(64)).value()).hasSize(64);
        assertThatThrownBy(() -> new FirmwareVersion("1".repeat(65))).isInstanceOf(IllegalArgumentException.class);
    }

    /// Antisymmetric and transitive over versions made by chance, or sorting a fleet by firmware could fail.
    @Test
    void isATotalOrder() {
        Random random = new Random(20260302);
        List<FirmwareVersion> some = new ArrayList<>();
        String alphabet = "019.ab-_+";
        for (int i = 0; i < 120; i++) {
            StringBuilder text = new StringBuilder("1");
            for (int n = random.nextInt(6); n > 0; n--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            some.add(new FirmwareVersion(text.toString()));
        }
        for (FirmwareVersion a : some) {
            for (FirmwareVersion b : some) {
                assertThat(Integer.signum(a.compareTo(b))).isEqualTo(-Integer.signum(b.compareTo(a)));
                for (FirmwareVersion c : some) {
                    if (a.compareTo(b) <= 0 && b.compareTo(c) <= 0 && a.compareTo(c) > 0) {
                        fail("%s <= %s <= %s", a, b, c); // an assertion object for each of 1.7 million costs 10 s
                    }
                }
            }
        }
    }
}
