package dev.holdfast.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Server;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The file, and a restore with the stream at hand. Without it, and by commands: `RestoreTest` of the module
/// `cli`.
class BackupTest {
    private static final Actor ME = new Actor.Operator("anna");
    private static final DeviceRef METER = DeviceRef.of("development", "meter-1");
    private final SecureRandom random = new SecureRandom();
    private final List<String> steps = new ArrayList<>();
    private Path folder;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createTempDirectory("holdfast-backup");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Files.createDirectories(TestDatabase.binaries());
        Files.setPosixFilePermissions(TestDatabase.binaries(), PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void removeFolder() {
        RealClient.of("rm", "-rf", folder.toString()).run().succeeded();
    }

    private static Configuration configuration() throws ConfigurationException {
        Map<String, String> variables = new HashMap<>();
        for (String listener : List.of("OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
            variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
            variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
        }
        variables.put("HOLDFAST_DATABASE_BINARIES", TestDatabase.binaries().toString());
        return Configuration.load(Optional.empty(), variables);
    }

    private Server serve(String data) throws Exception {
        return Server.start(configuration(), folder.resolve(data), InstantSource.system(), random);
    }

    private Backup backup(String data) throws ConfigurationException {
        return new Backup(configuration(), folder.resolve(data), InstantSource.system(), random, steps::add);
    }

    private static void fill(Server server) {
        Inventory inventory = server.inventory();
        inventory.putModel(
                new Model(
                        new Environment("development"),
                        new ModelId("m1"),
                        "maker",
                        "hw-1",
                        Duration.ofMinutes(1),
                        Map.of(),
                        List.of(),
                        Map.of()),
                ME);
        for (int n = 1; n <= 20; n++) {
            DeviceRef ref = DeviceRef.of("development", "meter-" + n);
            inventory.register(
                    new Inventory.Registration(ref, new ModelId("m1"), new Labels(Map.of("site", "north 1"))), ME);
        }
        inventory.transition(METER, Lifecycle.ENROLLED, "enrolled", Optional.empty(), ME);
    }

    @Test
    void aRunningServerIsBackedUpAndRestoredFrozenAndMergedFromTheStreamThatLeft() throws Exception {
        Path file = folder.resolve("one.backup");
        Path exported = folder.resolve("elsewhere");
        try (Server server = serve("first")) {
            fill(server);
            long head = server.journal().head().number();
            assertThat(backup("first").create(file).journalNumber()).isGreaterThanOrEqualTo(head);
            // After the backup: what a restore must not forget.
            server.inventory().transition(METER, Lifecycle.SUSPENDED, "stolen key", Optional.empty(), ME);
        }
        RealClient.of("cp", "-r", folder.resolve("first/journal-export").toString(), exported.toString())
                .run()
                .succeeded();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(backup("first").verify(file).tables()).isGreaterThan(3);
        try (ZipFile zip = new ZipFile(file.toFile())) {
            assertThat(zip.stream().map(ZipEntry::getName))
                    .as("nobody is signed in after a restore")
                    .contains("tables/account")
                    .doesNotContain("tables/operator_session");
        }

        backup("second").restore(file, Optional.of(exported));
        assertThat(steps).anySatisfy(step -> assertThat(step).contains("entries newer than the backup"));
        try (Server restored = serve("second")) {
            assertThat(restored.freeze().isFrozen()).isFalse();
            assertThat(restored.inventory().find(METER).orElseThrow().state()).isEqualTo(Lifecycle.SUSPENDED);
            assertThat(restored.inventory().find(METER).orElseThrow().stateReason())
                    .isEqualTo("again after a restore: stolen key");
            assertThat(restored.inventory().find(DeviceRef.of("development", "meter-20")))
                    .isPresent();
            assertThat(restored.journal().verify()).isEmpty();
        }
        assertThat(Files.readString(folder.resolve("second/secrets/postgres-password")))
                .isNotEqualTo(Files.readString(folder.resolve("first/secrets/postgres-password")));
        assertThat(PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(folder.resolve("second/secrets/journal-checkpoint-key"))))
                .isEqualTo("rw-------");
    }

    @Test
    void aStreamOfAnotherInstallationIsRefused() throws Exception {
        Path file = folder.resolve("one.backup");
        try (Server server = serve("first")) {
            fill(server);
            backup("first").create(file);
        }
        try (Server other = serve("other")) {
            fill(other);
            fill(other);
        }
        backup("second").restore(file, Optional.empty());
        Backup second = backup("second");
        assertThatThrownBy(() -> second.merge(folder.resolve("other/journal-export")))
                .hasMessageContaining("no stream in")
                .hasMessageContaining("continues this backup");
    }

    @Test
    void aDamagedCutOffOrNewerBackupIsRefusedAndLeavesNothing() throws Exception {
        Path file = folder.resolve("one.backup");
        try (Server server = serve("first")) {
            fill(server);
            backup("first").create(file);
            Backup again = backup("first");
            assertThatThrownBy(() -> again.create(file)).hasMessageContaining("never overwrites");
        }
        Path damaged = folder.resolve("damaged.backup");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 3] ^= 0x40;
        Files.write(damaged, bytes);
        Path cut = folder.resolve("cut.backup");
        Files.copy(file, cut);
        try (FileChannel channel = FileChannel.open(cut, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(cut) * 2 / 3);
        }
        Backup target = backup("second");
        for (Path bad : List.of(damaged, cut, Files.writeString(folder.resolve("no.backup"), "hello"))) {
            assertThatThrownBy(() -> target.restore(bad, Optional.empty()))
                    .as("%s", bad)
                    .isInstanceOf(IOException.class);
            assertThat(folder.resolve("second")).doesNotExist();
        }
        Path newer = folder.resolve("newer.backup");
        rewriteSchemaVersion(file, newer);
        assertThatThrownBy(() -> target.restore(newer, Optional.empty()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("of a newer Holdfast (schema 999");
        assertThat(folder.resolve("second")).isEmptyDirectory();
        assertThatThrownBy(() -> backup("first").restore(file, Optional.empty()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("needs an empty data folder");
    }

    private static void rewriteSchemaVersion(Path from, Path to) throws Exception {
        try (var zip = ArchiveStore.openVerified(from);
                ArchiveStore.Writer writer = new ArchiveStore.Writer(to)) {
            for (var entry : java.util.Collections.list(zip.entries())) {
                if (entry.getName().equals(ArchiveStore.MANIFEST)) {
                    String text = ArchiveStore.text(zip, ArchiveStore.MANIFEST)
                            .replaceAll("\"schemaVersion\":\"\\d+\"", "\"schemaVersion\":\"999\"");
                    writer.add(
                            entry.getName(), out -> out.write(text.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
                } else if (!entry.getName().equals(ArchiveStore.CHECKSUMS)) {
                    writer.add(entry.getName(), out -> zip.getInputStream(entry).transferTo(out));
                }
            }
            writer.finish();
        }
    }

    @Test
    void aDatabasePutBackBehindOurBackIsSeenByTheStreamThatLeft() throws Exception {
        try (Server server = serve("first")) {
            fill(server);
        }
        RealClient.of(
                        "cp",
                        "-a",
                        folder.resolve("first/postgres").toString(),
                        folder.resolve("old").toString())
                .run()
                .succeeded();
        try (Server server = serve("first")) {
            server.inventory().transition(METER, Lifecycle.SUSPENDED, "stolen key", Optional.empty(), ME);
        }
        RealClient.of("rm", "-rf", folder.resolve("first/postgres").toString())
                .run()
                .succeeded();
        RealClient.of(
                        "mv",
                        folder.resolve("old").toString(),
                        folder.resolve("first/postgres").toString())
                .run()
                .succeeded();
        try (Server server = serve("first")) {
            assertThat(server.freeze().isFrozen()).isTrue();
            assertThat(server.freeze().state().orElseThrow().reason()).contains("put back or altered");
            assertThat(server.journal().verify()).isEmpty(); // the chain itself is whole: only the stream tells
            assertThat(server.exporter().compare())
                    .hasValueSatisfying(fault -> assertThat(fault.what()).contains("left the machine"));
        }
        assertThat(backup("first").merge(folder.resolve("first/journal-export")))
                .isPositive();
        for (String start : List.of("the start that merges", "the next")) {
            try (Server server = serve("first")) {
                assertThat(server.freeze().isFrozen()).as(start).isFalse();
                assertThat(server.inventory().find(METER).orElseThrow().state()).isEqualTo(Lifecycle.SUSPENDED);
                assertThat(server.exporter().fault()).isEmpty();
            }
        }
    }
}
