package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The machine an agent lives on: what starts firmware, tests it and measures.
///
/// A real machine, a simulated meter and a gateway differ here and nowhere else. Called on the agent's own thread;
/// must not block.
public interface Platform {
    /// Starts the firmware of the slot that the bootloader chose.
    ///
    /// @return why it stopped at once; empty when it runs
    Optional<String> start(String version, InputStream image) throws IOException;

    /// Tests the firmware that runs, before it is confirmed.
    ///
    /// @return what is wrong; empty when all is well
    Optional<String> selfTest();

    /// The metrics of this moment, finite numbers only.
    Map<String, Double> measure(Instant now);

    /// Makes the desired state the one in force; it is the whole of what is desired.
    ///
    /// @return the settings now in force, as they are reported back
    default Map<String, String> apply(long revision, JsonNode desired) {
        Map<String, String> settings = new TreeMap<>();
        desired.path("settings").properties().forEach(field -> {
            if (field.getValue().isValueNode() && !field.getValue().isNull()) {
                settings.put(field.getKey(), field.getValue().asText());
            }
        });
        return settings;
    }

    /// The applications of the device may speak through the link from now on, until it is gone.
    default void connected(Uplink uplink) {}

    /// What applications on a device speak through: the device's own session.
    interface Uplink {
        /// Publishes with QoS 1.
        ///
        /// @return false when there is no session
        boolean publish(String topic, byte[] payload);
    }
}
