package dev.holdfast.agent;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/// The store of a real machine: a folder readable by its owner alone, locked while an agent uses it.
public final class FileDeviceStore implements DeviceStore, AutoCloseable {
    private final Path folder;
    private final FileChannel lockFile;
    private final FileLock lock;

    private FileDeviceStore(Path folder, FileChannel lockFile, FileLock lock) {
        this.folder = folder;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /// @throws IOException when the folder can't be used, or another agent uses it
    public static FileDeviceStore open(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        FileChannel channel =
                FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            lock = null;
        }
        if (lock == null) {
            channel.close();
            throw new IOException("another agent uses " + folder + "; stop it, or give this one another --data folder");
        }
        return new FileDeviceStore(folder, channel, lock);
    }

    @Override
    public byte @Nullable [] read(String name) throws IOException {
        try {
            return Files.readAllBytes(folder.resolve(name));
        } catch (NoSuchFileException absent) {
            return null;
        }
    }

    /// Writes beside, forces to disk, renames over, forces the folder.
    @Override
    public void write(String name, byte[] content) throws IOException {
        Path fresh = folder.resolve(name + ".new");
        Files.deleteIfExists(fresh);
        Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(content);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
        }
        Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        forceFolder();
    }

    @Override
    public void delete(String name) throws IOException {
        if (Files.deleteIfExists(folder.resolve(name))) {
            forceFolder();
        }
    }

    @Override
    public void eraseSlot(Slot slot) throws IOException {
        Files.deleteIfExists(image(slot));
        forceFolder();
    }

    @Override
    public void appendToSlot(Slot slot, byte[] bytes) throws IOException {
        Files.write(image(slot), bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @Override
    public long slotLength(Slot slot) throws IOException {
        Path image = image(slot);
        return Files.exists(image) ? Files.size(image) : 0;
    }

    @Override
    public InputStream openSlot(Slot slot) throws IOException {
        Path image = image(slot);
        return Files.exists(image) ? Files.newInputStream(image) : InputStream.nullInputStream();
    }

    @Override
    public void syncSlot(Slot slot) throws IOException {
        if (Files.exists(image(slot))) {
            try (FileChannel channel = FileChannel.open(image(slot), StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            forceFolder();
        }
    }

    private Path image(Slot slot) {
        return folder.resolve("slot-" + slot + ".image");
    }

    private void forceFolder() throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public void close() throws IOException {
        lock.release();
        lockFile.close();
    }
}
