package dev.holdfast.agent;

import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// How one agent is set up.
///
/// @param https the server's device HTTPS listener: EST, updates
/// @param mqtt the server's MQTT listener
/// @param tenant the environment, as DDI URLs name it
/// @param anchors the CAs whose servers it trusts, as burnt in when it was made or given at its installation;
///     the roots that come after them it learns
/// @param releaseKeys who may sign firmware for it
/// @param credential how it proves itself before it has a certificate of its own
/// @param telemetry how often it reports its measurements
/// @param pace the times that a test or a city makes shorter
public record AgentSettings(
        String deviceId,
        Hardware hardware,
        Target https,
        Target mqtt,
        String tenant,
        Route route,
        List<X509Certificate> anchors,
        List<PublicKey> releaseKeys,
        Optional<Credential> credential,
        Duration telemetry,
        Pace pace) {
    public AgentSettings {
        anchors = List.copyOf(anchors);
        releaseKeys = List.copyOf(releaseKeys);
    }

    /// How a device enrols for the first time.
    public sealed interface Credential {
        /// A single-use token, with the device's id as user name.
        record Token(String value) implements Credential {}

        /// The certificate its maker gave it (IDevID).
        record Manufacturer(DeviceIdentity identity) implements Credential {}
    }

    /// @param reboot how long a restart takes
    /// @param trial how long firmware on trial has to confirm itself
    /// @param firstPoll how soon after the start it asks for updates
    /// @param pollMost the longest it waits between asking, however long the server says
    /// @param retry the first pause after a failure; it doubles to `retryMost`, with jitter
    /// @param timeout for each exchange
    /// @param idleHttps how long an unused HTTPS connection is kept
    /// @param roots how often it asks which roots there are, beside when it is told to
    public record Pace(
            Duration reboot,
            Duration trial,
            Duration firstPoll,
            Duration pollMost,
            Duration retry,
            Duration retryMost,
            Duration timeout,
            Duration idleHttps,
            Duration mqttKeepAlive,
            Duration roots) {
        public static Pace ordinary() {
            return new Pace(
                    Duration.ofSeconds(2),
                    Duration.ofMinutes(2),
                    Duration.ofSeconds(2),
                    Duration.ofHours(24),
                    Duration.ofSeconds(1),
                    Duration.ofMinutes(2),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(20),
                    Duration.ofSeconds(60),
                    Duration.ofHours(12));
        }
    }
}
