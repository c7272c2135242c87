package dev.holdfast.inventory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class NetworkTest {
    private static boolean contains(String network, String address) {
        return Network.parse(network).contains(Network.literal(address).orElseThrow());
    }

    @Test
    void containsWhatItsPrefixSays() {
        assertThat(contains("10.0.0.0/24", "10.0.0.255")).isTrue();
        assertThat(contains("10.0.0.0/24", "10.0.1.0")).isFalse();
        assertThat(contains("10.0.0.128/25", "10.0.0.127")).isFalse();
        assertThat(contains("10.0.0.128/25", "10.0.0.200")).isTrue();
        assertThat(contains("0.0.0.0/0", "203.0.113.1")).isTrue();
        assertThat(contains("203.0.113.1", "203.0.113.1")).isTrue();
        assertThat(contains("2001:db8::/33", "2001:db8:7fff::1")).isTrue();
        assertThat(contains("2001:db8::/33", "2001:db8:8000::1")).isFalse();
        assertThat(contains("0.0.0.0/0", "::1")).isFalse();
    }

    @Test
    void looksNoNameUpAndRefusesWhatIsNoNetwork() {
        for (String bad :
                List.of("example.org", "10.0.0.0/33", "10.0.0/24", "10.0.0.0/-1", "", "10.0.0.0/", "::/129")) {
            assertThatThrownBy(() -> Network.parse(bad)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
