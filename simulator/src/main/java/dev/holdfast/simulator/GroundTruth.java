package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What really happened, as only the simulator knows it; the checker holds the server's account against it.
///
/// @param canary how many meters the plan of the bad release lets be exposed before its first verdict
/// @param tookBad how many meters had the bad release in a slot
/// @param crashed how many of them it stopped
record GroundTruth(
        long seed,
        int meters,
        int gateways,
        String goodVersion,
        String badVersion,
        String goodRollout,
        String badRollout,
        int canary,
        int tookBad,
        int crashed,
        String hostile,
        String hostileSince,
        String hostileIncident,
        String cloned,
        String cloneSince) {

    void write(Path file) throws IOException {
        ObjectNode tree = OperatorClient.object()
                .put("seed", seed)
                .put("meters", meters)
                .put("gateways", gateways)
                .put("goodVersion", goodVersion)
                .put("badVersion", badVersion)
                .put("goodRollout", goodRollout)
                .put("badRollout", badRollout)
                .put("canary", canary)
                .put("tookBad", tookBad)
                .put("crashed", crashed)
                .put("hostile", hostile)
                .put("hostileSince", hostileSince)
                .put("hostileIncident", hostileIncident)
                .put("cloned", cloned)
                .put("cloneSince", cloneSince);
        Files.writeString(file, tree.toPrettyString());
    }

    static GroundTruth read(Path file) throws IOException {
        JsonNode tree = OperatorClient.parse(Files.readString(file));
        return new GroundTruth(
                tree.path("seed").asLong(),
                tree.path("meters").asInt(),
                tree.path("gateways").asInt(),
                tree.path("goodVersion").asText(),
                tree.path("badVersion").asText(),
                tree.path("goodRollout").asText(),
                tree.path("badRollout").asText(),
                tree.path("canary").asInt(),
                tree.path("tookBad").asInt(),
                tree.path("crashed").asInt(),
                tree.path("hostile").asText(),
                tree.path("hostileSince").asText(),
                tree.path("hostileIncident").asText(),
                tree.path("cloned").asText(),
                tree.path("cloneSince").asText());
    }
}
