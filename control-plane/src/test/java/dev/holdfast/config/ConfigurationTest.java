package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationTest {
    @TempDir
    private Path folder;

    private Configuration load(String yaml, Map<String, String> variables) throws ConfigurationException {
        try {
            Path file = folder.resolve("holdfast.yaml");
            Files.writeString(file, yaml);
            return Configuration.load(Optional.of(file), variables);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void withoutAFileTheDefaultsHold() throws Exception {
        assertThat(Configuration.load(Optional.empty(), Map.of("PATH", "/bin"))).isEqualTo(Configuration.defaults());
        assertThat(load("", Map.of())).isEqualTo(Configuration.defaults());
    }

    @Test
    void theFileOverridesTheDefaultsAndVariablesOverrideTheFile() throws Exception {
        Configuration configuration = load(
                """
                publicHostName: fleet.example
                listeners:
                  mqtt: { port: 2883 }
                  device: { host: 127.0.0.1, port: 2443 }
                limits:
                  handshakeTimeout: PT3S
                """,
                Map.of(
                        "HOLDFAST_LISTENERS_MQTT_PORT", "0",
                        "HOLDFAST_SWITCHES_ROLLOUT_GATE", "false",
                        "HOLDFAST_PUBLIC_BASE_URLS_DEVICE", "https://d.example"));
        assertThat(configuration.publicHostName()).isEqualTo("fleet.example");
        assertThat(configuration.listeners().mqtt()).isEqualTo(new Configuration.Listener("0.0.0.0", 0));
        assertThat(configuration.listeners().device()).isEqualTo(new Configuration.Listener("127.0.0.1", 2443));
        assertThat(configuration.limits().handshakeTimeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(configuration.switches().rolloutGate()).isFalse();
        assertThat(configuration.publicBaseUrls().device()).isEqualTo("https://d.example");
    }

    @Test
    void anUnknownKeyIsAnErrorThatNamesItAndWhatIsKnown() {
        assertThatThrownBy(() -> load("listeners: { mqqt: { port: 1 } }", Map.of()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("unknown key 'listeners.mqqt'")
                .hasMessageContaining("mqtt");
    }

    @Test
    void anUnknownVariableIsAnErrorThatNamesIt() {
        assertThatThrownBy(() -> load("", Map.of("HOLDFAST_LISTENERS_MQQT_PORT", "1")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("HOLDFAST_LISTENERS_MQQT_PORT");
    }

    @Test
    void aLimitOfNothingIsAnError() {
        assertThatThrownBy(() -> load("limits: { messagesPerSecond: 0 }", Map.of()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("at least 1");
    }

    @Test
    void aValueOfTheWrongKindIsAnErrorThatNamesItsKey() {
        assertThatThrownBy(() -> Configuration.load(Optional.empty(), Map.of("HOLDFAST_LISTENERS_MQTT_PORT", "banana")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessage("configuration: 'listeners.mqtt.port' is 'banana', which is not a whole number");
    }

    @Test
    void aKeyGivenTwiceIsAnError() {
        assertThatThrownBy(() -> load("environment: a\nenvironment: b\n", Map.of()))
                .isInstanceOf(ConfigurationException.class);
    }

    @Test
    void aValueThatDoesNotFitIsAnError() {
        assertThatThrownBy(() -> load("listeners: { mqtt: { port: 70000 } }", Map.of()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("70000");
        assertThatThrownBy(() -> load("listeners: { mqtt: { port: many } }", Map.of()))
                .isInstanceOf(ConfigurationException.class);
        assertThatThrownBy(() -> load("listeners: { mqtt: { port: } }", Map.of()))
                .isInstanceOf(ConfigurationException.class);
        assertThatThrownBy(() -> load("listeners: 5", Map.of()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("'listeners' should hold keys");
        assertThatThrownBy(() -> load("environment: { a: b }", Map.of())).isInstanceOf(ConfigurationException.class);
    }

    @Test
    void brokenYamlIsAnErrorThatNamesTheFile() {
        assertThatThrownBy(() -> load("a: [", Map.of()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("holdfast.yaml");
    }
}
