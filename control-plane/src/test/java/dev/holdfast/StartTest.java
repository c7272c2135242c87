package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What a person meets who starts a server for the first time.
class StartTest {
    @Test
    void aListenerThatCannotBeOpenedSaysWhichAndWhatToSet() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = String.valueOf(taken.getLocalPort());
            for (String listener : new String[] {"MQTT", "PKI", "CHANNEL_BOUND"}) {
                String variable = "HOLDFAST_LISTENERS_" + listener + "_PORT";
                assertThatThrownBy(() -> TestServer.start(Map.of(variable, port)))
                        .isInstanceOf(UncheckedIOException.class)
                        .hasMessageContaining("127.0.0.1:" + port)
                        .hasMessageContaining("in use")
                        .hasMessageContaining(variable);
            }
        }
    }

    @Test
    void aNetworkThatIsNoneIsNamedWithItsKey() {
        assertThatThrownBy(() -> TestServer.start(Map.of("HOLDFAST_ACME_NETWORKS", "10.0.0.0/8, banana")))
                .hasMessageContaining("acme.networks: 'banana'");
    }

    @Test
    void aFreshServerCountsNoCertificateOfItsOwnAmongDevicesThatDoNotRenew() {
        try (TestServer server = TestServer.start()) {
            assertThat(server.server()
                            .identity()
                            .certificatesEndingBefore(
                                    TestServer.ENVIRONMENT, Instant.now().plus(Duration.ofDays(3)), 10))
                    .isEmpty();
        }
    }
}
