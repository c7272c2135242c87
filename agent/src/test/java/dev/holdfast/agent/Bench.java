package dev.holdfast.agent;

import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;

/// A maker's bench: keys, images and manifests for tests.
final class Bench {
    static final Hardware HARDWARE = new Hardware("meter", "rev-a");
    static final KeyPair RELEASE_KEY = DeviceIdentity.freshKey(new SecureRandom());

    private Bench() {}

    static byte[] image(String version, int size) {
        byte[] image = new byte[size];
        new SplittableRandom(version.hashCode()).nextBytes(image);
        return image;
    }

    static byte[] manifest(String version, long counter, byte[] image) {
        return manifest(HARDWARE, version, counter, image, RELEASE_KEY);
    }

    static byte[] manifest(Hardware hardware, String version, long counter, byte[] image, KeyPair key) {
        String digest = HexFormat.of().formatHex(Bootloader.sha256().digest(image));
        Manifest manifest = new Manifest(
                hardware.model(),
                List.of(hardware.revision()),
                version,
                counter,
                new Manifest.Image(version + ".img", image.length, digest));
        return SignedManifest.sign(manifest, key.getPrivate(), key.getPublic());
    }
}
