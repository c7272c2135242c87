package dev.holdfast.updates;

import dev.holdfast.Server;
import dev.holdfast.TestServer;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Registered;
import dev.holdfast.firmware.Release;
import dev.holdfast.firmware.SigningKey;
import dev.holdfast.firmware.Stored;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import dev.holdfast.rollout.Fleet;
import dev.holdfast.rollout.Plan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Releases and rollouts on a running server.
final class LiveRelease {
    private LiveRelease() {}

    /// A release for the agent: an image of so many octets, and its signed manifest.
    static Release ofManifest(Server server, String version, int octets) {
        KeyPair key = Fleet.keyPair();
        server.firmware()
                .registerKey(
                        TestServer.ENVIRONMENT, SigningKey.Kind.MANIFEST, "test", Fleet.pem(key), TestServer.TESTER);
        byte[] image = new byte[octets];
        new Random(octets).nextBytes(image);
        image[0] = (byte) version.hashCode();
        Stored stored = server.firmware()
                .upload(
                        TestServer.ENVIRONMENT,
                        version + ".img",
                        new ByteArrayInputStream(image),
                        Optional.empty(),
                        TestServer.TESTER);
        Manifest manifest = new Manifest(
                TestServer.MODEL.value(),
                List.of("hw-1"),
                version,
                1,
                new Manifest.Image(
                        version + ".img",
                        octets,
                        ((Stored.Done) stored).artifact().sha256().hex()));
        return accepted(server.firmware()
                .registerManifest(
                        new Firmware.Declaration(TestServer.ENVIRONMENT, false),
                        SignedManifest.sign(manifest, key.getPrivate(), key.getPublic()),
                        TestServer.TESTER));
    }

    /// Uploads a `.swu` and asks for its registration.
    static Registered ofSwu(Server server, Path swu) {
        try (InputStream content = Files.newInputStream(swu)) {
            Stored stored = server.firmware()
                    .upload(
                            TestServer.ENVIRONMENT,
                            swu.getFileName().toString(),
                            content,
                            Optional.empty(),
                            TestServer.TESTER);
            return server.firmware()
                    .registerSwu(
                            new Firmware.Declaration(TestServer.ENVIRONMENT, false),
                            TestServer.MODEL,
                            ((Stored.Done) stored).artifact().sha256(),
                            1,
                            TestServer.TESTER);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Release accepted(Registered registered) {
        if (registered instanceof Registered.Accepted accepted) {
            return accepted.release();
        }
        throw new AssertionError(registered.toString());
    }

    static long rollout(Server server, Release release, Optional<Release> previous, int cap) {
        Plan plan = new Plan(
                TestServer.ENVIRONMENT,
                TestServer.MODEL,
                "",
                release.id(),
                previous.map(Release::id).orElse(null),
                false,
                null,
                List.of(new Plan.Batch(
                        "all", "", "100%", cap, Duration.ZERO, Duration.ofSeconds(1), 0.2, Duration.ofHours(1))));
        return server.rollouts()
                .control()
                .create(plan, "test", TestServer.TESTER)
                .id();
    }
}
