package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.Digest;
import dev.holdfast.testkit.HoldfastCommand;
import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// docs/root-ceremony.md from the rehearsal to the record, command by command; `holdfast ceremony` in a network
/// namespace of its own, where there is no network.
class RootCeremonyTest {
    private static final List<String> FIRST_ROOT =
            List.of("rehearse", "request", "root", "shares", "sign", "install", "record", "installed", "revoke");
    private static final List<String> NEXT_ROOT =
            List.of("next-request", "next-root", "next-sign", "campaign", "progress", "move", "finish", "take-back");

    @TempDir
    private Path folder;

    @Test
    void thePageIsRunAsItStands() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        try (InstallationProcess server =
                InstallationProcess.serve(folder.resolve("data"), Map.of("HOLDFAST_PUBLIC_HOST_NAME", "localhost"))) {
            Path work = Files.createDirectory(folder.resolve("table"));
            Path bin = HoldfastCommand.write(
                    folder.resolve("bin"), server.url(), server.data().resolve("secrets/first-token"));
            Recipe page = Recipe.read(
                    Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/root-ceremony.md"));
            assertThat(page.blocks().stream().map(Recipe.Block::name))
                    .as("what is not run here is, in the simulator's OwnRootRolloverTest, under living devices")
                    .containsExactlyElementsOf(Stream.concat(FIRST_ROOT.stream(), NEXT_ROOT.stream())
                            .toList());
            var said = page.only(FIRST_ROOT.toArray(String[]::new))
                    .run(
                            work,
                            Map.of(
                                    "PATH",
                                    bin + ":" + System.getenv("PATH"),
                                    "SERVERS_ID",
                                    "server-2",
                                    "DEVICES_ID",
                                    "device-development-2"),
                            Duration.ofMinutes(8));
            assertThat(said.text())
                    .contains("whole: share 2 of 5")
                    .contains("REHEARSAL")
                    .contains("servers/issuer.pem: OK")
                    .contains("Ada: ____")
                    .contains("ready for production");
            // What was read aloud at the server is what the paper says.
            assertThat(Files.readString(work.resolve("servers/protocol.txt")))
                    .contains(Digest.of(Files.readAllBytes(work.resolve("servers.req.pem")))
                            .hex());
            assertThat(server.operator("cert", "ceremonies").ended(0).text()).contains("root", "sign");
            assertThat(server.operator(
                                    "cert",
                                    "ceremony-record",
                                    work.resolve("practice/record.json").toString())
                            .text())
                    .contains("rehearsal");
            assertThat(server.operator(
                                    "cert",
                                    "ceremony-record",
                                    work.resolve("root/record.json").toString())
                            .text())
                    .contains("entered already");
            String campaign = server.operator(
                            "cert", "campaign", "start", "--for", "devices", "--reason", "rolled over")
                    .ended(0)
                    .text();
            assertThat(campaign).contains("moving").contains("device-development-2");
            assertThat(server.operator("cert", "campaign", "list").ended(0).text())
                    .contains("device-development-1");
        }
    }
}
