package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/// What runs on a simulated meter. A fault is in the image itself, as it would be: the agent, the bootloader and the
/// server know nothing of it; the meter's hardware falls over it.
///
/// @param faultShare the share of meters on which it does not start
record FirmwareImage(String version, double faultShare, long faultSeed) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SIZE = 24 * 1024;
    private static final int MOST_HEAD = 512;

    byte[] bytes() {
        ObjectNode head = JSON.createObjectNode()
                .put("version", version)
                .put("faultShare", faultShare)
                .put("faultSeed", faultSeed);
        byte[] body = new byte[SIZE];
        new SplittableRandom(version.hashCode() * 31L + faultSeed).nextBytes(body);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes((head + "\n").getBytes(StandardCharsets.UTF_8));
        out.writeBytes(body);
        return out.toByteArray();
    }

    static FirmwareImage read(InputStream image) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        for (int next = image.read(); next >= 0 && next != '\n' && head.size() < MOST_HEAD; next = image.read()) {
            head.write(next);
        }
        JsonNode tree = JSON.readTree(head.toByteArray());
        return new FirmwareImage(
                tree.path("version").asText(),
                tree.path("faultShare").asDouble(),
                tree.path("faultSeed").asLong());
    }

    /// Whether this very meter falls over it: some combination of parts and past that only it has.
    boolean failsOn(CityPlan.Meter meter) {
        return new SplittableRandom(meter.salt() ^ faultSeed).nextDouble() < faultShare;
    }
}
