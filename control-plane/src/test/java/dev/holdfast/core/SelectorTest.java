package dev.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SelectorTest {
    private static final Map<String, String> METER =
            Map.of("id", "meter-7", "model", "m1", "state", "active", "district", "north", "owner", "city works");

    private static boolean matches(String text) {
        return Selector.parse(text).matches(METER);
    }

    @Test
    void theEmptySelectorMeansAll() {
        assertThat(matches("")).isTrue();
        assertThat(matches(" , ,")).isTrue();
        assertThat(Selector.parse("")).isEqualTo(Selector.ALL);
    }

    @Test
    void comparesLabelsAndAttributes() {
        assertThat(matches("district=north")).isTrue();
        assertThat(matches("district == north , state=active")).isTrue();
        assertThat(matches("district=south")).isFalse();
        assertThat(matches("owner=city works")).isTrue();
        assertThat(matches("district!=north")).isFalse();
    }

    @Test
    void aMissingLabelIsUnequalToEveryValueAndInNoSet() {
        assertThat(matches("site!=lab")).isTrue();
        assertThat(matches("site=lab")).isFalse();
        assertThat(matches("site notin (lab,yard)")).isTrue();
        assertThat(matches("site in (lab,yard)")).isFalse();
    }

    @Test
    void readsSetsAndPresence() {
        assertThat(matches("district in (south, north),id notin (meter-8)")).isTrue();
        assertThat(matches("district")).isTrue();
        assertThat(matches("!district")).isFalse();
        assertThat(matches("!retired, district")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "District=north",
                "district=a;drop table device",
                "district in north",
                "district in (a",
                "a), b",
                "district in (a) or b",
                "=north",
                "district=''",
                "district='x' --",
                "\u001b[31mred",
                "district=ünï"
            })
    void refusesWhatItCannotReadAndSaysHowToWriteIt(String text) {
        assertThatThrownBy(() -> Selector.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("write key=value")
                .hasMessageMatching("[\\x20-\\x7e]*");
    }

    @Test
    void refusesAVeryLongOne() {
        assertThatThrownBy(() -> Selector.parse("a,".repeat(1_001))).hasMessageContaining("longer than 2000");
    }
}
