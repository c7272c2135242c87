package dev.holdfast.database;

import dev.holdfast.core.Digest;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/// A PostgreSQL server of our own under the data folder: no installation, durable settings, loopback only, SCRAM.
///
/// PostgreSQL refuses to run as root, so under root it is started as another user through `setpriv`, which also makes
/// it stop when this process dies. A server left by a killed process is found by its pid file, interrupted and
/// awaited.
public final class EmbeddedPostgresStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgresStore.class);
    private static final String ARCHIVE = "/postgres-linux-x86_64.txz";
    private static final String USER = "holdfast";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path programs;
    private final Path cluster;
    private final String password;
    private final int port;
    private final Process process;
    private final Thread keeper;

    private EmbeddedPostgresStore(
            Path programs, Path cluster, String password, int port, Process process, Thread keeper) {
        this.programs = programs;
        this.cluster = cluster;
        this.password = password;
        this.port = port;
        this.process = process;
        this.keeper = keeper;
    }

    /// @param folder holds the cluster; created where missing
    /// @param binaries where the programs are unpacked; shared folders are fine
    /// @param password the superuser's password, made by the caller and kept as a secret
    public static EmbeddedPostgresStore start(Path folder, Path binaries, String password) throws IOException {
        Path programs = unpack(binaries);
        Optional<String> runAs = otherUser();
        Files.createDirectories(folder);
        Path cluster = folder.resolve("cluster");
        if (runAs.isPresent()) {
            give(folder, runAs.get());
        }
        stopOrphan(cluster, programs);
        if (!Files.exists(cluster.resolve("PG_VERSION"))) {
            initialise(programs, folder, cluster, password, runAs);
        }
        int port = freePort();
        CompletableFuture<Process> started = new CompletableFuture<>();
        // The parent-death signal is sent when the starting *thread* ends, so a thread of its own waits for the server.
        Thread keeper = Thread.ofPlatform()
                .daemon()
                .name("postgres-keeper")
                .start(() ->
                        keep(command(runAs, programs, "postgres", serverArguments(cluster, port)), folder, started));
        Process process = started.join();
        EmbeddedPostgresStore server = new EmbeddedPostgresStore(programs, cluster, password, port, process, keeper);
        server.awaitReady(folder.resolve("postgres.log"));
        return server;
    }

    public Database.Address address() {
        return new Database.Address(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres?sslmode=disable", USER, password);
    }

    /// The server's process, for tests that kill it.
    public ProcessHandle process() {
        return process.toHandle();
    }

    private static void keep(List<String> command, Path folder, CompletableFuture<Process> started) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            folder.resolve("postgres.log").toFile()))
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
            started.complete(process);
            process.waitFor();
        } catch (IOException e) {
            started.completeExceptionally(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static List<String> serverArguments(Path cluster, int port) {
        List<String> arguments = new ArrayList<>(List.of("-D", cluster.toString(), "-p", String.valueOf(port)));
        for (String setting : List.of(
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "ssl=off",
                "max_connections=100",
                "shared_buffers=128MB",
                "max_wal_size=2GB",
                "checkpoint_timeout=15min",
                "jit=off",
                "fsync=on",
                "synchronous_commit=on",
                "full_page_writes=on",
                "log_min_messages=warning",
                "log_timezone=UTC",
                "timezone=UTC")) {
            arguments.add("-c");
            arguments.add(setting);
        }
        return arguments;
    }

    private static void initialise(Path programs, Path folder, Path cluster, String password, Optional<String> runAs)
            throws IOException {
        removeTree(cluster); // a first start that was killed half-way leaves no PG_VERSION
        Path passwordFile = folder.resolve("initial-password");
        Files.deleteIfExists(passwordFile);
        Files.createFile(
                passwordFile, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(passwordFile, password + "\n");
        if (runAs.isPresent()) {
            give(passwordFile, runAs.get());
        }
        try {
            List<String> command = command(
                    runAs,
                    programs,
                    "initdb",
                    List.of(
                            "-D",
                            cluster.toString(),
                            "-U",
                            USER,
                            "-E",
                            "UTF8",
                            "--locale-provider=builtin",
                            "--builtin-locale=C.UTF-8",
                            "--locale=C",
                            "--auth=scram-sha-256",
                            "--data-checksums",
                            "--pwfile=" + passwordFile));
            Process initdb =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(initdb.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (initdb.waitFor() != 0) {
                removeTree(cluster);
                throw new IOException("initdb failed: " + output.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while making the database", e);
        } finally {
            Files.deleteIfExists(passwordFile);
        }
    }

    private void awaitReady(Path log) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            if (!process.isAlive()) {
                throw new IOException("PostgreSQL stopped with exit code " + process.exitValue() + "; see " + log);
            }
            try (var connection = java.sql.DriverManager.getConnection(address().url(), USER, password)) {
                if (connection.isValid(2)) {
                    return;
                }
            } catch (java.sql.SQLException starting) {
                if (System.nanoTime() - deadline > 0) {
                    close();
                    throw new IOException(
                            "PostgreSQL did not accept connections in " + PATIENCE + "; see " + log, starting);
                }
            }
            pause();
        }
    }

    private static void stopOrphan(Path cluster, Path programs) throws IOException {
        Path pidFile = cluster.resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return;
        }
        List<String> lines = Files.readAllLines(pidFile);
        if (lines.isEmpty() || !lines.getFirst().strip().matches("\\d{1,9}")) {
            return;
        }
        Optional<ProcessHandle> orphan =
                ProcessHandle.of(Long.parseLong(lines.getFirst().strip()));
        if (orphan.isEmpty() || !runs(orphan.get(), programs, cluster)) {
            return; // the number belongs to another program by now; PostgreSQL itself then replaces the file
        }
        LOG.warn(
                "stopping the PostgreSQL (pid {}) that a killed server left on {}",
                orphan.get().pid(),
                cluster);
        interrupt(orphan.get().pid());
        try {
            orphan.get().onExit().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            throw new IOException(
                    "the PostgreSQL left by a killed server (pid "
                            + orphan.get().pid() + ") does not stop",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while stopping the PostgreSQL left by a killed server", e);
        }
    }

    private static boolean runs(ProcessHandle process, Path programs, Path cluster) {
        try {
            Path exe = Path.of("/proc", String.valueOf(process.pid()), "exe").toRealPath();
            Path cwd = Path.of("/proc", String.valueOf(process.pid()), "cwd").toRealPath();
            return exe.getFileName().toString().equals("postgres")
                    && (exe.startsWith(programs.toRealPath()) || cwd.equals(cluster.toRealPath()));
        } catch (IOException gone) {
            return false;
        }
    }

    /// SIGINT: PostgreSQL's fast shutdown (sessions are ended, a checkpoint is written).
    private static void interrupt(long pid) throws IOException {
        try {
            new ProcessBuilder("kill", "-INT", String.valueOf(pid)).start().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static List<String> command(Optional<String> runAs, Path programs, String program, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add("setpriv");
        runAs.ifPresent(user -> command.addAll(
                List.of("--reuid=" + user, "--regid=" + groupOf(user), "--clear-groups", "--no-new-privs")));
        command.add("--pdeathsig=INT");
        command.add(programs.resolve("bin").resolve(program).toString());
        command.addAll(arguments);
        return command;
    }

    private static String groupOf(String user) {
        return user.equals("nobody") ? "nogroup" : user;
    }

    private static Optional<String> otherUser() throws IOException {
        if (!System.getProperty("user.name", "").equals("root")) {
            return Optional.empty();
        }
        String passwd = Files.readString(Path.of("/etc/passwd"));
        for (String user : List.of("postgres", "nobody")) {
            if (passwd.lines().anyMatch(line -> line.startsWith(user + ":"))) {
                return Optional.of(user);
            }
        }
        throw new IOException("running as root, and PostgreSQL needs another user: create one named 'postgres', or run"
                + " Holdfast as an ordinary user");
    }

    private static void give(Path path, String user) throws IOException {
        UserPrincipal owner =
                path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(user);
        if (!Files.getOwner(path, LinkOption.NOFOLLOW_LINKS).equals(owner)) {
            Files.setOwner(path, owner);
        }
    }

    /// Unpacks the programs once; a marker written last tells a whole copy from a part.
    private static Path unpack(Path binaries) throws IOException {
        Path target = binaries.resolve("postgresql-18.6.0");
        if (Files.exists(target.resolve("complete"))) {
            return target;
        }
        Files.createDirectories(binaries);
        Path fresh = Files.createTempDirectory(binaries, "unpack");
        MessageDigest digest = Digest.sha256();
        try (InputStream resource = open();
                DigestInputStream counted = new DigestInputStream(new BufferedInputStream(resource, 1 << 16), digest);
                TarArchiveInputStream tar = new TarArchiveInputStream(new XZInputStream(counted))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                write(entry, tar, fresh);
            }
            counted.transferTo(java.io.OutputStream.nullOutputStream());
        }
        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equals(PINNED_SHA256)) {
            removeTree(fresh);
            throw new IOException("the PostgreSQL programs are not the pinned ones: SHA-256 " + found);
        }
        Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.createFile(fresh.resolve("complete"));
        try {
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException another) {
            removeTree(fresh);
            if (!Files.exists(target.resolve("complete"))) {
                throw another;
            }
        }
        return target;
    }

    private static final String PINNED_SHA256 = "63999c2914366d62c68e51794e597588c336e75ed2958d53c558e8deca5e13fc";

    private static InputStream open() throws IOException {
        InputStream resource = EmbeddedPostgresStore.class.getResourceAsStream(ARCHIVE);
        if (resource == null) {
            throw new IOException("no embedded PostgreSQL for this machine; give database.url instead");
        }
        return resource;
    }

    private static void write(TarArchiveEntry entry, TarArchiveInputStream tar, Path root) throws IOException {
        Path path = root.resolve(entry.getName()).normalize();
        if (!path.startsWith(root)) {
            throw new IOException("the archive names a path outside its folder");
        }
        if (entry.isDirectory()) {
            Files.createDirectories(path);
        } else if (entry.isSymbolicLink()) {
            Files.createDirectories(path.getParent());
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
        } else {
            Files.createDirectories(path.getParent());
            Files.copy(tar, path);
            boolean executable = (entry.getMode() & 0100) != 0;
            Files.setPosixFilePermissions(
                    path, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
        }
    }

    private static void removeTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void pause() {
        java.util.concurrent.locks.LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }

    /// Stops the server with a checkpoint; kills it when it has not stopped within the time allowed.
    @Override
    public void close() throws IOException {
        if (process.isAlive()) {
            interrupt(process.pid());
            try {
                if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                    LOG.error("PostgreSQL on {} (programs in {}) did not stop; killing it", cluster, programs);
                    process.destroyForcibly().waitFor();
                }
                keeper.join(1_000);
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    /// The exit of the server process, for a watcher that must know when the database is gone.
    public CompletableFuture<@Nullable Void> stopped() {
        return process.onExit().thenApply(p -> null);
    }
}
