package dev.holdfast.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.core.Digest;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import dev.holdfast.rollout.Fleet;
import dev.holdfast.testkit.RealClient;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirmwareTest {
    private static Fleet fleet;

    @TempDir
    private Path folder;

    @BeforeAll
    static void open() {
        fleet = new Fleet(true);
    }

    @AfterAll
    static void close() {
        fleet.close();
    }

    private static byte[] image(String content) {
        return content.getBytes(StandardCharsets.UTF_8);
    }

    private static Artifact upload(String content) {
        return ((Stored.Done) fleet.firmware.upload(
                        Fleet.ENVIRONMENT,
                        "image.img",
                        new ByteArrayInputStream(image(content)),
                        Optional.empty(),
                        Fleet.OPERATOR))
                .artifact();
    }

    private static Registered register(Manifest manifest, KeyPair key, boolean irreversible) {
        return fleet.firmware.registerManifest(
                new Firmware.Declaration(Fleet.ENVIRONMENT, irreversible),
                SignedManifest.sign(manifest, key.getPrivate(), key.getPublic()),
                Fleet.OPERATOR);
    }

    private static Manifest manifest(String model, String hardware, String version, long counter, Artifact image) {
        return new Manifest(
                model,
                List.of(hardware),
                version,
                counter,
                new Manifest.Image("image.img", image.size(), image.sha256().hex()));
    }

    private static void assertRefused(Registered registered, Registered.Reason reason) {
        assertThat(registered)
                .isInstanceOfSatisfying(
                        Registered.Refused.class, r -> assertThat(r.reason()).isEqualTo(reason));
    }

    @Test
    void refusesReleasesThatAreNotWhatTheySayAndTakesTheOneThatIs() {
        Artifact image = upload("one");
        assertRefused(
                register(manifest("meter", "rev-a", "1.0", 3, image), Fleet.keyPair(), false),
                Registered.Reason.SIGNATURE_NOT_VALID);
        assertRefused(
                fleet.firmware.registerManifest(
                        new Firmware.Declaration(Fleet.ENVIRONMENT, false), image("{}"), Fleet.OPERATOR),
                Registered.Reason.NOT_A_MANIFEST);
        assertRefused(
                register(manifest("toaster", "rev-a", "1.0", 3, image), fleet.key, false),
                Registered.Reason.MODEL_UNKNOWN);
        assertRefused(
                register(manifest("meter", "rev-b", "1.0", 3, image), fleet.key, false),
                Registered.Reason.HARDWARE_DOES_NOT_FIT);
        Artifact unknown = new Artifact(Digest.of(image("never uploaded")), "image.img", 3, "", "");
        assertRefused(
                register(manifest("meter", "rev-a", "1.0", 3, unknown), fleet.key, false),
                Registered.Reason.ARTIFACT_MISSING);
        Artifact otherSize = new Artifact(image.sha256(), "image.img", 4, "", "");
        assertRefused(
                register(manifest("meter", "rev-a", "1.0", 3, otherSize), fleet.key, false),
                Registered.Reason.ARTIFACT_DIFFERS);

        assertThat(register(manifest("meter", "rev-a", "1.0", 3, image), fleet.key, false))
                .isInstanceOf(Registered.Accepted.class);
        assertRefused(
                register(manifest("meter", "rev-a", "1.0", 3, upload("two")), fleet.key, false),
                Registered.Reason.VERSION_ALREADY_REGISTERED);
        assertRefused(
                register(manifest("meter", "rev-a", "1.1", 2, upload("two")), fleet.key, false),
                Registered.Reason.COUNTER_BELOW_FLOOR);
        assertRefused(
                register(manifest("meter", "rev-a", "1.1", 4, upload("two")), fleet.key, false),
                Registered.Reason.COUNTER_RISES_BUT_NOT_DECLARED_IRREVERSIBLE);
        assertThat(register(manifest("meter", "rev-a", "1.1", 4, upload("two")), fleet.key, true))
                .isInstanceOfSatisfying(
                        Registered.Accepted.class,
                        a -> assertThat(a.release().mayBeRolledOut()).isFalse());
        assertThat(fleet.journal.verify()).isEmpty();
    }

    @Test
    void aRetiredKeySignsNothingNew() {
        KeyPair key = Fleet.keyPair();
        SigningKey registered = fleet.firmware.registerKey(
                Fleet.ENVIRONMENT, SigningKey.Kind.MANIFEST, "old", Fleet.pem(key), Fleet.OPERATOR);
        assertThat(fleet.firmware.retireKey(Fleet.ENVIRONMENT, registered.id(), "rotated", Fleet.OPERATOR))
                .isTrue();
        assertRefused(
                register(manifest("meter", "rev-a", "9.0", 3, upload("nine")), key, false),
                Registered.Reason.SIGNATURE_NOT_VALID);
    }

    @Test
    void refusesTrustAnchorsThatAreNone() {
        for (String bad : List.of(
                "",
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
                Fleet.pem(Fleet.keyPair()) + "x".repeat(20_000))) {
            for (SigningKey.Kind kind : SigningKey.Kind.values()) {
                assertThatThrownBy(
                                () -> fleet.firmware.registerKey(Fleet.ENVIRONMENT, kind, "bad", bad, Fleet.OPERATOR))
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void anUploadIsWholeOrNotThereAtAll() throws Exception {
        ArtifactStore store = new ArtifactStore(folder, 10_000);
        byte[] content = new byte[5_000];
        InputStream breaking = new InputStream() {
            private int given;

            @Override
            public int read() throws IOException {
                if (given++ > 3_000) {
                    throw new IOException("the connection is gone");
                }
                return 7;
            }

            @Override
            public int read(byte[] buffer, int from, int length) throws IOException {
                buffer[from] = (byte) read();
                return 1;
            }
        };
        assertThat(store.store(breaking, "a.img", Optional.empty())).isInstanceOf(Stored.Broken.class);
        assertThat(store.store(new ByteArrayInputStream(new byte[10_001]), "a.img", Optional.empty()))
                .isEqualTo(new Stored.TooLarge(10_000));
        assertThat(store.store(new ByteArrayInputStream(new byte[0]), "a.img", Optional.empty()))
                .isInstanceOf(Stored.Broken.class);
        assertThat(store.store(new ByteArrayInputStream(content), "a.img", Optional.of(Digest.of(new byte[] {1}))))
                .isInstanceOf(Stored.Broken.class);
        assertThat(files()).isEmpty();

        Stored.Done done =
                (Stored.Done) store.store(new ByteArrayInputStream(content), "a.img", Optional.of(Digest.of(content)));
        assertThat(store.path(done.artifact().sha256())).hasBinaryContent(content);
        assertThat(files()).hasSize(1);
        // What a killed server left is removed by the next one; a file of a living process is left alone.
        Files.write(folder.resolve("unfinished/999999999-1"), content);
        var _ = new ArtifactStore(folder, 10_000);
        assertThat(files()).hasSize(1);
    }

    /// A file system of one megabyte, in a mount namespace of its own.
    @Test
    void aFullDiskRefusesTheUploadAndKeepsWhatIsThere() {
        String script = "mount -t tmpfs -o size=1m tmpfs " + folder + " && exec \"$@\"";
        RealClient.of(
                        "unshare",
                        "-rm",
                        "sh",
                        "-c",
                        script,
                        "sh",
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        DiskFull.class.getName(),
                        folder.toString())
                .run()
                .succeeded();
    }

    /// Run in a process of its own by [#aFullDiskRefusesTheUploadAndKeepsWhatIsThere].
    static final class DiskFull {
        private DiskFull() {}

        public static void main(String[] arguments) {
            ArtifactStore store = new ArtifactStore(Path.of(arguments[0]), 100 << 20);
            byte[] small = {1, 2, 3};
            check(store.store(new ByteArrayInputStream(small), "a.img", Optional.empty()) instanceof Stored.Done);
            check(
                    store.store(new ByteArrayInputStream(new byte[4 << 20]), "b.img", Optional.empty())
                            instanceof Stored.NoSpace);
            check(store.has(Digest.of(small)));
            check(
                    store.store(new ByteArrayInputStream(new byte[1_000]), "c.img", Optional.empty())
                            instanceof Stored.Done);
        }

        private static void check(boolean holds) {
            if (!holds) {
                throw new AssertionError();
            }
        }
    }
}
