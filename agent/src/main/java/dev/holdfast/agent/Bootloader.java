package dev.holdfast.agent;

import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.ManifestException;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// The simulated bootloader: the part of a device that trusts nothing else on it.
///
/// At each boot it checks the image it is about to start: the manifest's signature, the model and hardware, the
/// image's digest, the security counter. An image on trial has a number of tries; when it has not been confirmed
/// by then, or does not verify, the confirmed slot runs again.
final class Bootloader {
    /// How often an image on trial is started before it is given up.
    static final int TRIES = 3;

    private final DeviceStore store;
    private final Hardware hardware;
    private final List<PublicKey> releaseKeys;

    /// What runs now.
    ///
    /// @param onTrial must be confirmed, or it will be given up
    record Booted(Slot slot, String version, long counter, boolean onTrial) {}

    /// Neither slot holds anything that may run; a real device stops here and waits for a technician.
    static final class UnbootableException extends IOException {
        private static final long serialVersionUID = 1L;

        UnbootableException(String message) {
            super(message);
        }
    }

    private record Checked(String version, long counter, Optional<String> fault) {
        static Checked bad(String fault) {
            return new Checked("", -1, Optional.of(fault));
        }
    }

    Bootloader(DeviceStore store, Hardware hardware, List<PublicKey> releaseKeys) {
        this.store = store;
        this.hardware = hardware;
        this.releaseKeys = List.copyOf(releaseKeys);
    }

    /// Puts the image a device is made with into slot A and pins its digest. Does nothing on a device that has one.
    static void manufacture(DeviceStore store, String version, byte[] image) throws IOException {
        if (BootRecord.read(store) != null) {
            return;
        }
        store.eraseSlot(Slot.A);
        store.appendToSlot(Slot.A, image);
        store.syncSlot(Slot.A);
        BootRecord.factory(version, HexFormat.of().formatHex(sha256().digest(image)))
                .write(store);
    }

    /// 1. Where a trial is on: no tries left, or an image that does not verify, ends it.
    /// 2. Else one try is taken *before* the image starts, so that a crash or a power cut counts.
    /// 3. Without a trial the confirmed slot starts, when it verifies.
    Booted boot() throws IOException {
        BootRecord record = record();
        Optional<Slot> trial = record.trial();
        if (trial.isPresent()) {
            Checked checked = record.triesLeft() > 0
                    ? check(trial.get(), record)
                    : Checked.bad("not confirmed after " + TRIES + " starts");
            if (checked.fault().isEmpty()) {
                record.withTries(record.triesLeft() - 1).write(store);
                return new Booted(trial.get(), checked.version(), checked.counter(), true);
            }
            record = record.givenUp(checked.fault().get());
            record.write(store);
        }
        Checked checked = check(record.confirmed(), record);
        if (checked.fault().isPresent()) {
            throw new UnbootableException(
                    "slot " + record.confirmed() + ": " + checked.fault().get());
        }
        return new Booted(record.confirmed(), checked.version(), checked.counter(), false);
    }

    /// Starts a trial of the spare slot at the next boot, when what it holds would boot.
    ///
    /// @param id the update's
    /// @return why it would not
    Optional<String> arm(String id) throws IOException {
        BootRecord record = record();
        Slot spare = record.confirmed().other();
        Checked checked = check(spare, record);
        if (checked.fault().isEmpty()) {
            record.armed(spare, TRIES, id).write(store);
        }
        return checked.fault();
    }

    /// Makes the slot on trial the one that runs from now on, and raises the floor to its counter.
    void confirm(Booted booted) throws IOException {
        BootRecord record = record();
        if (record.trial().equals(Optional.of(booted.slot()))) {
            record.confirmed(booted.slot(), booted.counter()).write(store);
        }
    }

    /// Gives the trial up before its tries are used; the other slot runs from the next boot on.
    void giveUp(String why) throws IOException {
        BootRecord record = record();
        if (record.trial().isPresent()) {
            record.givenUp(why).write(store);
        }
    }

    /// The slot that may be written: never the confirmed one.
    Slot spareSlot() throws IOException {
        return record().confirmed().other();
    }

    long counterFloor() throws IOException {
        return record().counterFloor();
    }

    /// What became of this update; empty when it was never put on trial.
    Optional<BootRecord.Attempt> attempt(String id) throws IOException {
        return record().attempt().filter(a -> a.id().equals(id));
    }

    static String manifestName(Slot slot) {
        return "slot-" + slot + ".manifest";
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }

    static String digest(DeviceStore store, Slot slot) throws IOException {
        MessageDigest digest = sha256();
        try (InputStream image = store.openSlot(slot)) {
            byte[] buffer = new byte[16_384];
            for (int n = image.read(buffer); n >= 0; n = image.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private BootRecord record() throws IOException {
        BootRecord record = BootRecord.read(store);
        if (record == null) {
            throw new UnbootableException("no image was ever put on this device");
        }
        return record;
    }

    private Checked check(Slot slot, BootRecord record) throws IOException {
        if (store.slotLength(slot) == 0) {
            return Checked.bad("the slot is empty");
        }
        byte[] envelope = store.read(manifestName(slot));
        if (envelope == null) {
            return digest(store, slot).equals(record.factoryDigest()) && record.counterFloor() == 0
                    ? new Checked(record.factoryVersion(), 0, Optional.empty())
                    : Checked.bad("no signed manifest, and not the image it was made with");
        }
        Manifest manifest;
        try {
            manifest = SignedManifest.verify(envelope, releaseKeys).manifest();
        } catch (ManifestException e) {
            return Checked.bad("the manifest is refused: " + e.getMessage());
        }
        Optional<String> misfit = hardware.misfit(manifest, record.counterFloor());
        if (misfit.isPresent()) {
            return Checked.bad(misfit.get());
        }
        if (!digest(store, slot).equals(manifest.image().sha256())) {
            return Checked.bad("the image is not the one the manifest names");
        }
        return new Checked(manifest.version(), manifest.securityCounter(), Optional.empty());
    }
}
