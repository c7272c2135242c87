package dev.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LabelsTest {
    @Test
    void layNewLabelsOverOldOnes() {
        Labels labels = new Labels(Map.of("district", "north", "kind", "meter"));
        assertThat(labels.with(Map.of("district", "south", "site", "lab 1")).values())
                .isEqualTo(Map.of("district", "south", "kind", "meter", "site", "lab 1"));
    }

    @Test
    void refuseKeysAndValuesThatWouldNeedEscaping() {
        assertThatThrownBy(() -> new Labels(Map.of("District", "north"))).hasMessageContaining("not a label key");
        assertThatThrownBy(() -> new Labels(Map.of("district", "<b>")))
                .hasMessageContaining("label district")
                .hasMessageNotContaining("<b>");
        assertThatThrownBy(() -> new Labels(Map.of("district", "a\r\nb"))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refuseMoreThan64AlsoWhenLaidOver() {
        Map<String, String> many = new HashMap<>();
        for (int i = 0; i < 64; i++) {
            many.put("k" + i, "v");
        }
        Labels full = new Labels(many);
        assertThatThrownBy(() -> full.with(Map.of("one-more", "v"))).hasMessageContaining("more than 64");
    }

    @Test
    void doNotChangeWithTheMapTheyWereMadeOf() {
        Map<String, String> source = new HashMap<>(Map.of("a", "1"));
        Labels labels = new Labels(source);
        source.put("a", "2");
        assertThat(labels.get("a")).hasValue("1");
    }
}
