package dev.holdfast.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.holdfast.core.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Everything that can be set, with its default. Unknown keys are errors; each key is also an environment
/// variable:
/// `listeners.mqtt.port` is `HOLDFAST_LISTENERS_MQTT_PORT`.
///
/// @param environment the default environment (`DEFAULT` in DDI URLs)
/// @param publicHostName the name under which devices reach this server; production issuance needs it
/// @param journalExport where the journal stream goes: a folder that should lie on another machine; where
///     absent `journal-export` in the data folder, which protects against less
/// @param publicBaseUrls what URLs handed to devices start with; taken from the host name and ports where
///     absent
public record Configuration(
        String environment,
        @Nullable String publicHostName,
        PublicBaseUrls publicBaseUrls,
        Listeners listeners,
        DatabaseSettings database,
        AccessSettings access,
        Limits limits,
        SmtpSettings smtp,
        Notifications notifications,
        Switches switches,
        Certificates certificates,
        Acme acme,
        KeySettings keys,
        Scep scep,
        @Nullable String journalExport) {

    /// Each empty value is derived from the host name and the port that was bound.
    public record PublicBaseUrls(
            @Nullable String device,
            @Nullable String pki,
            @Nullable String operator) {}

    public record Listener(String host, int port) {
        public Listener {
            if (port < 0 || port > 65_535) {
                throw new IllegalArgumentException("port " + port + " is not between 0 (any free) and 65535");
            }
        }
    }

    /// @param channelBound EST on a TLS that can bind requests to its channel (RFC 9266), for profiles that
    ///     want it
    /// @param operatorCertificate PEM chain; without it the operator plane stays on loopback
    public record Listeners(
            Listener operator,
            @Nullable String operatorCertificate,
            @Nullable String operatorKey,
            Listener device,
            Listener channelBound,
            Listener mqtt,
            Listener pki,
            Listener syslog,
            Listener ipfix) {}

    /// @param url empty for the embedded PostgreSQL
    /// @param binaries where the embedded PostgreSQL's programs are unpacked; empty for inside the data folder
    public record DatabaseSettings(
            @Nullable String url,
            @Nullable String user,
            @Nullable String passwordFile,
            @Nullable String binaries,
            int connections) {}

    /// @param firstToken whether to write an API token to `secrets/first-token`, for scripts that set things up
    public record AccessSettings(boolean firstToken) {}

    /// How long and how much strangers may keep us busy.
    ///
    /// @param handshakesPerSecond accepts past this rate wait
    /// @param sessions connections of devices at the same time, half-open ones included
    /// @param handshakeTimeout for the handshake, and again for what must come at once after it (MQTT's
    ///     CONNECT)
    /// @param requestTimeout from a request's head to its end; where there is no head, from first octet to last
    /// @param idleTimeout how long a connection may wait for a whole request (HTTP)
    /// @param databaseSilence after which a node takes no new sessions, because it can't know who was suspended
    /// @param messagesPerSecond of one device by MQTT, over all its sessions; a message larger than 1 KiB
    ///     counts as several, and a device that sends more is cut off
    /// @param messageBurst how many messages of one device may come at once after a pause
    public record Limits(
            int handshakesPerSecond,
            int sessions,
            Duration handshakeTimeout,
            Duration requestTimeout,
            Duration idleTimeout,
            Duration databaseSilence,
            int messagesPerSecond,
            int messageBurst) {
        public Limits {
            if (handshakesPerSecond < 1 || sessions < 1 || messagesPerSecond < 1 || messageBurst < 1) {
                throw new IllegalArgumentException("every limit is at least 1");
            }
            for (Duration timeout : List.of(handshakeTimeout, requestTimeout, idleTimeout, databaseSilence)) {
                if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(Duration.ofHours(1)) > 0) {
                    throw new IllegalArgumentException(
                            "limits: a timeout of " + timeout + " is not between 1 s and 1 h");
                }
            }
        }
    }

    public record SmtpSettings(
            @Nullable String host,
            int port,
            boolean startTls,
            @Nullable String user,
            @Nullable String passwordFile) {}

    /// @param loopbackWebhooks whether webhooks may point to this machine itself, by plain http too; for trying
    ///     things out
    /// @param mailFrom the sender of mail; empty for `holdfast@` and the public host name
    public record Notifications(
            boolean loopbackWebhooks, @Nullable String mailFrom) {}

    /// Safety functions that can be switched off, for drills and for showing that they matter; the console says
    /// so.
    public record Switches(boolean rolloutGate, boolean automaticIsolation) {}

    /// What certificates are like that are issued from now on.
    ///
    /// @param deviceLifetime from issuing to expiry; devices renew in the last third
    /// @param serverLifetime of our own listeners' certificates, which renew themselves
    /// @param revocationListLifetime how long a CRL may be relied on; a new one is made at every change anyway
    /// @param renewalsPerHour how many devices are told in an hour, at most, to renew
    /// @param renewableAfterExpiry how long after its expiry a device's certificate may still ask for its
    ///     successor
    public record Certificates(
            Duration deviceLifetime,
            Duration serverLifetime,
            Duration revocationListLifetime,
            Duration renewableAfterExpiry,
            int renewalsPerHour) {
        public Certificates {
            if (renewalsPerHour < 1) {
                throw new IllegalArgumentException("certificates.renewalsPerHour is at least 1");
            }
        }
    }

    /// Where ACME's challenges may make this server look.
    ///
    /// @param networks where http-01 may connect to, such as `10.20.0.0/16, fd00:20::/32`; empty: it is not
    ///     offered
    /// @param loopback whether http-01 may connect to this machine itself; for trying things out
    /// @param httpPort where http-01 connects to; anything but 80 is for trying things out
    /// @param resolver `host:port` of the DNS resolver to ask; empty: the machine's own, and no dns-01
    public record Acme(
            String networks,
            boolean loopback,
            int httpPort,
            @Nullable String resolver) {
        public Acme {
            if (httpPort < 1 || httpPort > 65_535) {
                throw new IllegalArgumentException("acme.httpPort is 1 to 65535");
            }
        }
    }

    /// Under what the private keys and other secrets in the data folder lie encrypted, and where the keys of
    /// authorities are. At most one of the first three; where none is set and systemd hands a credential
    /// `holdfast-keys` to the service, that is taken.
    ///
    /// @param passphraseFile of mode 0600; its first line is the passphrase
    /// @param passphraseCommand a program and its arguments, separated by blanks, started without a shell; the
    ///     first line it writes is the passphrase
    /// @param askPassphrase on the terminal
    /// @param previousPassphraseFile what is encrypted under this one is encrypted anew at the start
    /// @param credentialsDirectory systemd's; taken from `CREDENTIALS_DIRECTORY`
    /// @param authorityKind of the authorities' keys that are made from now on: `ec-p256`, `ec-p384`
    public record KeySettings(
            @Nullable String passphraseFile,
            @Nullable String passphraseCommand,
            boolean askPassphrase,
            @Nullable String previousPassphraseFile,
            @Nullable String credentialsDirectory,
            String authorityKind,
            Pkcs11Settings pkcs11) {
        public static final KeySettings NONE =
                new KeySettings(null, null, false, null, null, "ec-p256", new Pkcs11Settings(null, null, null));
    }

    /// A hardware module for the authorities' keys.
    ///
    /// @param library the module's PKCS #11 library; empty for keys in files
    /// @param slot the slot of the token
    /// @param pinFile of mode 0600; empty for systemd's credential `holdfast-pin`
    public record Pkcs11Settings(
            @Nullable String library,
            @Nullable Long slot,
            @Nullable String pinFile) {}
    /// For old devices that speak nothing else.
    ///
    /// @param enabled whether `/scep` answers on the plain-HTTP PKI listener
    public record Scep(boolean enabled) {}

    public static Configuration defaults() {
        return new Configuration(
                "development",
                null,
                new PublicBaseUrls(null, null, null),
                new Listeners(
                        new Listener("127.0.0.1", 8080),
                        null,
                        null,
                        new Listener("0.0.0.0", 8443),
                        new Listener("0.0.0.0", 8444),
                        new Listener("0.0.0.0", 8883),
                        new Listener("0.0.0.0", 8081),
                        new Listener("0.0.0.0", 6514),
                        new Listener("0.0.0.0", 4739)),
                new DatabaseSettings(null, null, null, null, 16),
                new AccessSettings(false),
                new Limits(
                        2_000,
                        19_000,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(75),
                        Duration.ofSeconds(30),
                        100,
                        400),
                new SmtpSettings(null, 587, true, null, null),
                new Notifications(false, null),
                new Switches(true, true),
                new Certificates(Duration.ofDays(90), Duration.ofDays(90), Duration.ofDays(1), Duration.ZERO, 36_000),
                new Acme("", false, 80, null),
                KeySettings.NONE,
                new Scep(false),
                null);
    }

    /// Defaults, overlaid by the file, overlaid by the variables.
    ///
    /// @throws ConfigurationException naming the key and how to mend it
    public static Configuration load(Optional<Path> file, Map<String, String> variables) throws ConfigurationException {
        ObjectNode tree = treeOf(defaults());
        if (file.isPresent()) {
            overlay(tree, readYaml(file.get()), "");
        }
        Map<String, String> ours = new TreeMap<>();
        variables.forEach((name, value) -> {
            if (name.startsWith("HOLDFAST_") && !name.startsWith("HOLDFAST_CLI_")) {
                ours.put(name, value);
            }
        });
        for (Map.Entry<String, String> variable : ours.entrySet()) {
            assign(tree, variable.getKey(), variable.getKey().substring("HOLDFAST_".length()), variable.getValue());
        }
        String credentials = variables.get("CREDENTIALS_DIRECTORY"); // systemd.exec(5)
        if (credentials != null
                && tree.get("keys") instanceof ObjectNode keys
                && keys.path("credentialsDirectory").isNull()) {
            keys.put("credentialsDirectory", credentials);
        }
        try {
            return Json.mapper().treeToValue(tree, Configuration.class);
        } catch (JsonMappingException e) {
            throw new ConfigurationException("configuration: " + fault(e), e);
        } catch (JsonProcessingException e) {
            throw new ConfigurationException("configuration: " + e.getOriginalMessage(), e);
        }
    }

    /// Which key, and what is wrong with its value, in words of people who write configurations.
    private static String fault(JsonMappingException e) {
        String key = e.getPath().stream()
                .map(JsonMappingException.Reference::getFieldName)
                .collect(Collectors.joining("."));
        if (e instanceof InvalidFormatException format) {
            Class<?> wanted = format.getTargetType();
            String what = wanted == int.class || wanted == Integer.class || wanted == Long.class
                    ? "a whole number"
                    : wanted == boolean.class
                            ? "true or false"
                            : wanted == Duration.class ? "a duration, such as PT30S" : "what is known here";
            return "'" + key + "' is '" + format.getValue() + "', which is not " + what;
        }
        Throwable cause = e.getCause();
        return (key.isEmpty() ? "" : "'" + key + "': ")
                + (cause == null ? e.getOriginalMessage() : String.valueOf(cause.getMessage()));
    }

    /// A record as a tree in which absent values stand as nulls, so that every key is known.
    private static ObjectNode treeOf(Object record) {
        ObjectNode tree = Json.mapper().createObjectNode();
        for (var component : record.getClass().getRecordComponents()) {
            Object value;
            try {
                value = component.getAccessor().invoke(record);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
            if (value == null) {
                tree.putNull(component.getName());
            } else if (value.getClass().isRecord()) {
                tree.set(component.getName(), treeOf(value));
            } else {
                tree.set(component.getName(), Json.mapper().valueToTree(value));
            }
        }
        return tree;
    }

    private static final YAMLMapper YAML = YAMLMapper.builder()
            .enable(com.fasterxml.jackson.core.StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private static JsonNode readYaml(Path file) throws ConfigurationException {
        try {
            JsonNode tree = YAML.readTree(Files.readString(file));
            return tree == null || tree.isMissingNode() || tree.isNull()
                    ? Json.mapper().createObjectNode()
                    : tree;
        } catch (NoSuchFileException e) {
            throw new ConfigurationException("there is no configuration file " + file, e);
        } catch (IOException e) {
            throw new ConfigurationException("configuration file " + file + " can't be read: " + e.getMessage(), e);
        }
    }

    private static void overlay(ObjectNode onto, JsonNode from, String path) throws ConfigurationException {
        if (!from.isObject()) {
            throw new ConfigurationException("configuration: '" + path + "' should hold keys, not a single value");
        }
        for (Map.Entry<String, JsonNode> field : from.properties()) {
            String key = path.isEmpty() ? field.getKey() : path + "." + field.getKey();
            JsonNode known = onto.get(field.getKey());
            if (known == null) {
                throw new ConfigurationException("configuration: unknown key '" + key + "'; known here: "
                        + String.join(", ", (Iterable<String>) onto::fieldNames));
            }
            if (known.isObject()) {
                overlay((ObjectNode) known, field.getValue(), key);
            } else if (field.getValue().isContainerNode()) {
                throw new ConfigurationException("configuration: '" + key + "' should be a single value");
            } else if (field.getValue().isNull() && !known.isNull()) {
                throw new ConfigurationException(
                        "configuration: '" + key + "' has no value; leave the key out for the default, " + known);
            } else {
                onto.set(field.getKey(), field.getValue());
            }
        }
    }

    private static void assign(ObjectNode tree, String variable, String rest, String value)
            throws ConfigurationException {
        for (Iterator<String> names = tree.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            String upper = name.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
            if (rest.equals(upper) && !tree.path(name).isObject()) {
                tree.put(name, value);
                return;
            }
            if (rest.startsWith(upper + "_") && tree.get(name) instanceof ObjectNode inner) {
                assign(inner, variable, rest.substring(upper.length() + 1), value);
                return;
            }
        }
        throw new ConfigurationException("environment variable " + variable + " names no configuration key");
    }
}
