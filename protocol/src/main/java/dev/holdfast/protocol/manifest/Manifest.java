package dev.holdfast.protocol.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// What a release is, as its maker states it.
///
/// The payload is
/// `{"v":1,"model":"meter","hardware":["rev-a"],"version":"1.2.0","securityCounter":3,`
/// `"image":{"name":"meter-1.2.0.img","size":1048576,"sha256":"..."}}`; unknown fields and other values of
/// `v` are
/// refused, because a field that a verifier doesn't know might be a condition.
///
/// @param model the model's id
/// @param hardware the hardware revisions the image fits, one at least
/// @param version as the device will report it once it runs
/// @param securityCounter a device never goes below the highest counter it has confirmed
public record Manifest(String model, List<String> hardware, String version, long securityCounter, Image image) {
    /// The DSSE payload type.
    public static final String PAYLOAD_TYPE = "application/vnd.holdfast.manifest+json";

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}");
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,127}");
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final int MOST_HARDWARE = 32;
    private static final Set<String> FIELDS = Set.of("v", "model", "hardware", "version", "securityCounter", "image");
    private static final Set<String> IMAGE_FIELDS = Set.of("name", "size", "sha256");

    static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    static {
        JSON.getFactory()
                .setStreamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(8)
                        .maxStringLength(100_000)
                        .maxNumberLength(20)
                        .build());
    }

    /// @param name a plain file name
    /// @param size in octets
    /// @param sha256 64 lower-case hexadecimal digits
    public record Image(String name, long size, String sha256) {
        public Image {
            require(FILE_NAME.matcher(name).matches(), "image.name is not a plain file name");
            require(size > 0, "image.size is not positive");
            require(SHA_256.matcher(sha256).matches(), "image.sha256 is not 64 lower-case hexadecimal digits");
        }
    }

    public Manifest {
        hardware = List.copyOf(hardware);
        require(NAME.matcher(model).matches(), "model is not a model id");
        require(NAME.matcher(version).matches(), "version is not a firmware version");
        require(!hardware.isEmpty() && hardware.size() <= MOST_HARDWARE, "hardware does not name 1 to 32 revisions");
        hardware.forEach(h -> require(NAME.matcher(h).matches(), "hardware holds a name that is none"));
        require(securityCounter >= 0, "securityCounter is negative");
    }

    /// The payload that is signed.
    public byte[] payload() {
        ObjectNode root = JSON.createObjectNode();
        root.put("v", 1);
        root.put("model", model);
        ArrayNode revisions = root.putArray("hardware");
        hardware.forEach(revisions::add);
        root.put("version", version);
        root.put("securityCounter", securityCounter);
        root.putObject("image")
                .put("name", image.name())
                .put("size", image.size())
                .put("sha256", image.sha256());
        try {
            return JSON.writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree that can't be written", e);
        }
    }

    /// @throws ManifestException MALFORMED_PAYLOAD
    static Manifest parse(byte[] payload) throws ManifestException {
        try {
            JsonNode root = JSON.readTree(payload);
            requireFields(root, FIELDS, "the manifest");
            require(root.path("v").isInt() && root.path("v").intValue() == 1, "v is not 1");
            require(root.path("hardware").isArray(), "hardware is not an array");
            JsonNode image = root.path("image");
            requireFields(image, IMAGE_FIELDS, "image");
            List<String> hardware = new ArrayList<>();
            for (JsonNode revision : root.path("hardware")) {
                hardware.add(text(revision, "hardware"));
            }
            return new Manifest(
                    text(root.path("model"), "model"),
                    hardware,
                    text(root.path("version"), "version"),
                    number(root.path("securityCounter"), "securityCounter"),
                    new Image(
                            text(image.path("name"), "image.name"),
                            number(image.path("size"), "image.size"),
                            text(image.path("sha256"), "image.sha256")));
        } catch (IOException e) {
            throw new ManifestException(ManifestException.Reason.MALFORMED_PAYLOAD, "not JSON within the bounds");
        } catch (IllegalArgumentException e) {
            throw new ManifestException(ManifestException.Reason.MALFORMED_PAYLOAD, String.valueOf(e.getMessage()));
        }
    }

    private static void requireFields(JsonNode node, Set<String> fields, String what) {
        Set<String> present = new TreeSet<>();
        node.fieldNames().forEachRemaining(present::add);
        require(present.equals(fields), what + " does not hold exactly " + new TreeSet<>(fields));
    }

    private static String text(JsonNode node, String name) {
        require(node.isTextual(), name + " is not a string");
        return node.textValue();
    }

    private static long number(JsonNode node, String name) {
        require(node.isIntegralNumber() && node.canConvertToLong(), name + " is not a whole number");
        return node.longValue();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
