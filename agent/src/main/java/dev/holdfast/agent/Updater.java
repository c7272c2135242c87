package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.agent.BootRecord.Attempt;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.ManifestException;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.IOException;
import java.security.PublicKey;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One update at a time, from the signed manifest to an armed slot, with the power cut at any step.
///
/// The order of the writes is the safety of it: the spare slot loses its manifest before its image, gains it after
/// its image, and what became of a trial stands in the boot record alone. So whatever was cut, the device boots, and
/// knows what to tell the server.
final class Updater {
    private static final String NAME = "update";

    private final DeviceStore store;
    private final Hardware hardware;
    private final List<PublicKey> releaseKeys;
    private final Bootloader bootloader;

    /// The update under way.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Pending(String id, byte[] envelope) {}

    sealed interface Begun {
        /// Fetch the image from this offset on.
        record Fetch(Manifest manifest, long offset) implements Begun {}

        /// It runs already and is confirmed.
        record AlreadyRuns(Manifest manifest) implements Begun {}

        record Refused(String reason) implements Begun {}
    }

    Updater(DeviceStore store, Hardware hardware, List<PublicKey> releaseKeys, Bootloader bootloader) {
        this.store = store;
        this.hardware = hardware;
        this.releaseKeys = List.copyOf(releaseKeys);
        this.bootloader = bootloader;
    }

    /// 1. The manifest's signature, model, hardware and counter decide whether anything is fetched at all.
    /// 2. The same update again goes on where it was cut.
    /// 3. Else the spare slot is emptied first and the update noted after.
    Begun begin(String id, byte[] envelope) throws IOException {
        Manifest manifest;
        try {
            manifest = SignedManifest.verify(envelope, releaseKeys).manifest();
        } catch (ManifestException e) {
            return new Begun.Refused("manifest refused: " + e.getMessage());
        }
        Optional<String> misfit = hardware.misfit(manifest, bootloader.counterFloor());
        if (misfit.isPresent()) {
            return new Begun.Refused(misfit.get());
        }
        Slot spare = bootloader.spareSlot();
        if (Bootloader.digest(store, spare.other()).equals(manifest.image().sha256())) {
            return new Begun.AlreadyRuns(manifest);
        }
        Pending before = pending();
        if (before == null
                || !before.id().equals(id)
                || !java.util.Arrays.equals(before.envelope(), envelope)
                || store.slotLength(spare) > manifest.image().size()) {
            store.delete(Bootloader.manifestName(spare));
            store.eraseSlot(spare);
            ObjectNode note = AgentJson.object().put("id", id).put("envelope", envelope);
            store.write(NAME, AgentJson.bytes(note));
        }
        return new Begun.Fetch(manifest, store.slotLength(spare));
    }

    /// @return false when these are more bytes than the manifest allows
    boolean accept(Manifest manifest, byte[] bytes) throws IOException {
        Slot spare = bootloader.spareSlot();
        if (store.slotLength(spare) + bytes.length > manifest.image().size()) {
            return false;
        }
        store.appendToSlot(spare, bytes);
        return true;
    }

    /// Checks the whole image, puts its manifest beside it and arms the bootloader.
    ///
    /// @return why not; the slot is empty then, so that a next attempt starts afresh
    Optional<String> finish(Pending update) throws IOException {
        Slot spare = bootloader.spareSlot();
        store.syncSlot(spare);
        store.write(Bootloader.manifestName(spare), update.envelope());
        Optional<String> fault = bootloader.arm(update.id());
        if (fault.isPresent()) {
            store.delete(Bootloader.manifestName(spare));
            store.eraseSlot(spare);
        }
        return fault;
    }

    @Nullable
    Pending pending() throws IOException {
        byte[] stored = store.read(NAME);
        if (stored == null) {
            return null;
        }
        JsonNode note = AgentJson.tree(stored);
        return new Pending(note.path("id").asText(), note.path("envelope").binaryValue());
    }

    /// What became of the update under way; empty while it is being fetched.
    Optional<Attempt> outcome() throws IOException {
        Pending update = pending();
        return update == null ? Optional.empty() : bootloader.attempt(update.id());
    }

    /// Forgets the update: its end has been told, or it was withdrawn in time.
    void forget() throws IOException {
        store.delete(NAME);
    }
}
