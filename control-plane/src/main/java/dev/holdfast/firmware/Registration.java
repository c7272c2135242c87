package dev.holdfast.firmware;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Digest;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.ModelId;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.manifest.ManifestException;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How a signed description and its image become a release: verified first, compared with what the operator takes it
/// for, then written. What is refused leaves no release behind.
final class Registration {
    private final Firmware firmware;
    private final Journal journal;
    private final Inventory inventory;

    Registration(Firmware firmware, Journal journal, Inventory inventory) {
        this.firmware = firmware;
        this.journal = journal;
        this.inventory = inventory;
    }

    Registered ofManifest(Firmware.Declaration declaration, byte[] envelope, Actor actor) {
        SignedManifest signed;
        try {
            List<PublicKey> keys = new ArrayList<>();
            for (SigningKey key : firmware.trusted(declaration.environment(), SigningKey.Kind.MANIFEST)) {
                keys.add(TrustAnchors.publicKey(key.pem()));
            }
            signed = SignedManifest.verify(envelope, keys);
        } catch (ManifestException e) {
            return new Registered.Refused(
                    e.reason() == ManifestException.Reason.NO_SIGNATURE_BY_A_TRUSTED_KEY
                            ? Registered.Reason.SIGNATURE_NOT_VALID
                            : Registered.Reason.NOT_A_MANIFEST,
                    String.valueOf(e.getMessage()));
        }
        var manifest = signed.manifest();
        Optional<Artifact> image = firmware.artifact(
                declaration.environment(), new Digest(manifest.image().sha256()));
        if (image.isEmpty() || firmware.file(image.get()).isEmpty()) {
            return new Registered.Refused(
                    Registered.Reason.ARTIFACT_MISSING,
                    "upload the image with SHA-256 " + manifest.image().sha256() + " first");
        }
        if (image.get().size() != manifest.image().size()) {
            return new Registered.Refused(
                    Registered.Reason.ARTIFACT_DIFFERS,
                    "the image has " + image.get().size() + " octets, the manifest says "
                            + manifest.image().size());
        }
        Stored kept = firmware.upload(
                declaration.environment(),
                manifest.version() + ".manifest.json",
                new ByteArrayInputStream(envelope),
                Optional.empty(),
                actor);
        if (!(kept instanceof Stored.Done done)) {
            return new Registered.Refused(Registered.Reason.ARTIFACT_MISSING, "the manifest can't be kept: " + kept);
        }
        Artifact named = new Artifact(
                image.get().sha256(),
                manifest.image().name(),
                image.get().size(),
                image.get().sha1(),
                image.get().md5());
        return register(
                declaration,
                new ModelId(manifest.model()),
                manifest.hardware(),
                new FirmwareVersion(manifest.version()),
                manifest.securityCounter(),
                Release.Format.MANIFEST,
                signed.keyId(),
                List.of(done.artifact(), named),
                actor);
    }

    /// @param securityCounter SWUpdate has none of its own, so the operator states it
    Registered ofSwu(
            Firmware.Declaration declaration, ModelId model, Digest artifact, long securityCounter, Actor actor) {
        Optional<Artifact> uploaded = firmware.artifact(declaration.environment(), artifact);
        Optional<Path> file = uploaded.flatMap(firmware::file);
        if (file.isEmpty()) {
            return new Registered.Refused(
                    Registered.Reason.ARTIFACT_MISSING, "upload the .swu with SHA-256 " + artifact + " first");
        }
        SwuInspection inspection;
        try (InputStream content = firmware.open(artifact)) {
            inspection = SwuInspection.of(content, firmware.trusted(declaration.environment(), SigningKey.Kind.SWU));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return switch (inspection) {
            case SwuInspection.Bad bad -> new Registered.Refused(bad.reason(), bad.detail());
            case SwuInspection.Good good ->
                register(
                        declaration,
                        model,
                        good.hardware(),
                        good.version(),
                        securityCounter,
                        Release.Format.SWU,
                        good.signedBy(),
                        List.of(uploaded.orElseThrow()),
                        actor);
        };
    }

    private Registered register(
            Firmware.Declaration declaration,
            ModelId modelId,
            List<String> hardware,
            FirmwareVersion version,
            long counter,
            Release.Format format,
            String signedBy,
            List<Artifact> artifacts,
            Actor actor) {
        Optional<Model> model = inventory.model(declaration.environment(), modelId);
        if (model.isEmpty()) {
            return new Registered.Refused(
                    Registered.Reason.MODEL_UNKNOWN, "there is no model " + modelId + "; define it first");
        }
        if (!hardware.contains(model.get().hardware())) {
            return new Registered.Refused(
                    Registered.Reason.HARDWARE_DOES_NOT_FIT,
                    "it is for " + hardware + ", model " + modelId + " is "
                            + model.get().hardware());
        }
        Optional<Registered.Refused> contradiction =
                declaration.expected().flatMap(e -> contradiction(e, modelId, hardware, version, artifacts.getLast()));
        if (contradiction.isPresent()) {
            return contradiction.get();
        }
        return journal.commit(tx -> {
            FirmwareStore.lockModel(tx.sql(), declaration.environment(), modelId);
            Optional<Release> same = FirmwareStore.find(tx.sql(), declaration.environment(), modelId, version);
            if (same.isPresent()) {
                return same.get().artifacts().equals(artifacts)
                        ? new Registered.Exists(same.get())
                        : new Registered.Refused(
                                Registered.Reason.VERSION_ALREADY_REGISTERED,
                                "version " + version + " exists with other content: a version never changes");
            }
            Optional<Long> floor = FirmwareStore.floor(tx.sql(), declaration.environment(), modelId);
            Optional<Registered.Refused> refused = CounterRule.check(counter, declaration.irreversible(), floor);
            if (refused.isPresent()) {
                return refused.get();
            }
            if (floor.isEmpty()) {
                FirmwareStore.raiseFloor(tx.sql(), declaration.environment(), modelId, counter);
            }
            Release release = new Release(
                    0,
                    declaration.environment(),
                    modelId,
                    version,
                    hardware,
                    counter,
                    declaration.irreversible(),
                    format,
                    signedBy,
                    artifacts,
                    Release.State.REGISTERED,
                    "signature verified",
                    declaration.registrar(),
                    declaration.notes(),
                    tx.now());
            long id = FirmwareStore.insert(tx.sql(), release);
            tx.record(new Entry(
                    "firmware.release-registered",
                    declaration.environment(),
                    "release:" + id,
                    actor,
                    "signature verified against a registered key",
                    Map.of(
                            "model", modelId.value(),
                            "version", version.value(),
                            "securityCounter", counter,
                            "irreversible", declaration.irreversible(),
                            "signedBy", signedBy,
                            "artifacts",
                                    artifacts.stream()
                                            .map(a -> a.sha256().hex())
                                            .toList())));
            return new Registered.Accepted(FirmwareStore.find(tx.sql(), id).orElseThrow());
        });
    }

    private static Optional<Registered.Refused> contradiction(
            Firmware.Expected expected, ModelId model, List<String> hardware, FirmwareVersion version, Artifact image) {
        if (!expected.model().equals(model)) {
            return differs(Registered.Reason.MODEL_DIFFERS, "model " + model, "model " + expected.model());
        }
        if (!expected.version().equals(version)) {
            return differs(Registered.Reason.VERSION_DIFFERS, "version " + version, "version " + expected.version());
        }
        if (!expected.image().equals(image.sha256())) {
            return differs(Registered.Reason.ARTIFACT_DIFFERS, "image " + image.sha256(), "image " + expected.image());
        }
        return expected.hardware()
                .filter(wanted -> !hardware.contains(wanted))
                .flatMap(wanted ->
                        differs(Registered.Reason.HARDWARE_DOES_NOT_FIT, "hardware " + hardware, "hardware " + wanted));
    }

    private static Optional<Registered.Refused> differs(Registered.Reason reason, String signed, String asked) {
        return Optional.of(
                new Registered.Refused(reason, "the signed description says " + signed + ", the request " + asked));
    }
}
