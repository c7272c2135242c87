package dev.holdfast.protocol.acme;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// What an order asks a certificate for.
///
/// @param value of a DNS name: lower case, in LDH form; a leading `*.` only where the order asked for one
public record AcmeIdentifier(Type type, String value) {
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern NUMERIC = Pattern.compile("[0-9]+");
    private static final Pattern PERMANENT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public enum Type {
        /// RFC 8555 section 9.7.7.
        DNS("dns"),
        /// draft-ietf-acme-device-attest section 3: here the id of a device.
        PERMANENT_IDENTIFIER("permanent-identifier");

        private final String text;

        Type(String text) {
            this.text = text;
        }

        public String text() {
            return text;
        }

        static Optional<Type> parse(String text) {
            for (Type type : values()) {
                if (type.text.equals(text)) {
                    return Optional.of(type);
                }
            }
            return Optional.empty();
        }
    }

    public AcmeIdentifier {
        boolean good = switch (type) {
            case DNS -> isDnsName(value);
            case PERMANENT_IDENTIFIER -> PERMANENT.matcher(value).matches();
        };
        if (!good) {
            throw new IllegalArgumentException("not an identifier of type " + type.text());
        }
    }

    /// As an order has it: `{"type":"dns","value":"gw-1.example.org"}`.
    static AcmeIdentifier parse(JsonNode json) throws AcmeException {
        if (!json.isObject()) {
            throw AcmeText.malformed("an identifier is an object with 'type' and 'value'");
        }
        Type type = Type.parse(AcmeText.text(json, "type", "an identifier"))
                .orElseThrow(() -> new AcmeException(
                        AcmeProblem.UNSUPPORTED_IDENTIFIER, "identifiers are 'dns' and 'permanent-identifier'"));
        String value = AcmeText.text(json, "value", "an identifier");
        try {
            return new AcmeIdentifier(type, type == Type.DNS ? value.toLowerCase(Locale.ROOT) : value);
        } catch (IllegalArgumentException e) {
            throw new AcmeException(
                    AcmeProblem.REJECTED_IDENTIFIER,
                    "a DNS name has LDH labels (RFC 5890 section 2.3.1) and at least two of them; a permanent"
                            + " identifier is the id of a device");
        }
    }

    /// Stored and compared as one text: `dns:gw-1.example.org`.
    public String text() {
        return type.text() + ":" + value;
    }

    public static AcmeIdentifier ofText(String text) {
        int colon = text.indexOf(':');
        return new AcmeIdentifier(
                Type.parse(text.substring(0, colon))
                        .orElseThrow(() -> new IllegalArgumentException("no such type of identifier: " + text)),
                text.substring(colon + 1));
    }

    public Map<String, String> json() {
        return Map.of("type", type.text(), "value", value);
    }

    public boolean isWildcard() {
        return value.startsWith("*.");
    }

    /// What an authorization is for: the name without its wildcard (section 7.1.4).
    public AcmeIdentifier withoutWildcard() {
        return isWildcard() ? new AcmeIdentifier(type, value.substring(2)) : this;
    }

    /// RFC 1035 section 2.3.4 and RFC 5890 section 2.3.1; no address, whose last label would be a number.
    private static boolean isDnsName(String value) {
        String plain = value.startsWith("*.") ? value.substring(2) : value;
        if (plain.length() > 253) {
            return false;
        }
        String[] labels = plain.split("\\.", -1);
        for (String label : labels) {
            if (!LABEL.matcher(label).matches()) {
                return false;
            }
        }
        return labels.length > 1 && !NUMERIC.matcher(labels[labels.length - 1]).matches();
    }
}
