package dev.holdfast.database;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A PostgreSQL server of our own under the data folder: no installation, durable settings, loopback only,
/// SCRAM.
///
/// PostgreSQL refuses to run as root, so under root it is started as another user through `setpriv`, which also
/// makes
/// it stop when this process dies. A server left by a killed process is found by its pid file, interrupted and
/// awaited.
public final class EmbeddedPostgresStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgresStore.class);
    private static final String USER = "holdfast";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final List<String> command;
    private final Path folder;
    private final Path programs;
    private final Path cluster;
    private final String password;
    private final int port;
    private volatile @Nullable Process process;
    private volatile boolean closing;
    private @Nullable Thread keeper;

    private EmbeddedPostgresStore(List<String> command, Path folder, Path programs, String password, int port) {
        this.command = command;
        this.folder = folder;
        this.programs = programs;
        this.cluster = folder.resolve("cluster");
        this.password = password;
        this.port = port;
    }

    /// @param folder holds the cluster; created where missing
    /// @param binaries where the programs are unpacked; shared folders are fine
    /// @param password the superuser's password, made by the caller and kept as a secret
    /// @throws IOException when it can't be made or started; the message says why and what to do
    public static EmbeddedPostgresStore start(Path folder, Path binaries, String password) throws IOException {
        Path programs = PostgresProgramsStore.unpack(binaries);
        Optional<String> runAs = otherUser();
        Files.createDirectories(folder);
        if (runAs.isPresent()) {
            give(folder, runAs.get());
            requireReachable(folder, runAs.get());
            requireReachable(programs, runAs.get());
        }
        Path cluster = folder.resolve("cluster");
        stopOrphan(cluster, programs);
        if (!Files.exists(cluster)) {
            initialise(programs, folder, cluster, password, runAs);
        }
        int port = freePort();
        EmbeddedPostgresStore server = new EmbeddedPostgresStore(
                command(runAs, programs, "postgres", serverArguments(cluster, port)), folder, programs, password, port);
        CompletableFuture<Process> started = new CompletableFuture<>();
        // The parent-death signal is sent when the starting *thread* ends, so a thread of its own waits for the
        // server.
        server.keeper = Thread.ofPlatform().daemon().name("postgres-keeper").start(() -> server.keep(started));
        server.awaitReady(started.join());
        return server;
    }

    /// The address of the server that runs on this folder in another process.
    ///
    /// @return empty when none does
    public static Optional<Database.Address> running(Path folder, Path binaries, String password) throws IOException {
        Path pidFile = folder.resolve("cluster").resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return Optional.empty();
        }
        List<String> lines = Files.readAllLines(pidFile);
        if (lines.size() < 4
                || !lines.getFirst().strip().matches("\\d{1,9}")
                || !lines.get(3).strip().matches("\\d{1,5}")) {
            return Optional.empty();
        }
        return ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
                .filter(process -> runs(process, binaries, folder.resolve("cluster")))
                .map(process -> address(Integer.parseInt(lines.get(3).strip()), password));
    }

    public Database.Address address() {
        return address(port, password);
    }

    private static Database.Address address(int port, String password) {
        return new Database.Address(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres?sslmode=disable", USER, password);
    }

    /// The server's process, for tests that kill it; another one after it was started again.
    public Optional<ProcessHandle> process() {
        return Optional.ofNullable(process).map(Process::toHandle);
    }

    /// Leaves the server running without anybody who looks after it, for tests.
    void abandon() {
        closing = true;
    }

    /// Starts the server, and again on the same port whenever it ends by itself (killed, or out of disk).
    private void keep(CompletableFuture<Process> first) {
        try {
            for (int failures = 0; !closing; failures++) {
                long begun = System.nanoTime();
                Process running = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                        .redirectInput(ProcessBuilder.Redirect.from(
                                Path.of("/dev/null").toFile()))
                        .start();
                process = running;
                first.complete(running);
                if (closing) {
                    interrupt(running.pid());
                }
                int code = running.waitFor();
                if (!closing) {
                    LOG.error("PostgreSQL ended by itself (exit code {}); starting it again; see {}", code, log());
                    boolean ranWell = System.nanoTime() - begun > TimeUnit.MINUTES.toNanos(1);
                    failures = ranWell ? 0 : failures;
                    TimeUnit.MILLISECONDS.sleep(Math.min(5_000, 300L << Math.min(failures, 5)));
                }
            }
        } catch (IOException e) {
            LOG.error("PostgreSQL can't be started", e);
            first.completeExceptionally(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Path log() {
        return folder.resolve("postgres.log");
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
        Path fresh = folder.resolve("cluster.new"); // renamed when whole: a first start may be killed half-way
        PostgresProgramsStore.removeTree(fresh);
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
                            fresh.toString(),
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
                PostgresProgramsStore.removeTree(fresh);
                throw new IOException("initdb failed: " + output.strip());
            }
            Files.move(fresh, cluster, StandardCopyOption.ATOMIC_MOVE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while making the database", e);
        } finally {
            Files.deleteIfExists(passwordFile);
        }
    }

    private void awaitReady(Process first) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try (var connection = java.sql.DriverManager.getConnection(address().url(), USER, password)) {
                if (connection.isValid(2)) {
                    return;
                }
            } catch (java.sql.SQLException starting) {
                boolean late = System.nanoTime() - deadline > 0;
                // A second try is given: the children of a killed server need a moment to see that it is gone.
                if (late || (!first.isAlive() && secondTryFailed(first))) {
                    close();
                    throw new IOException(
                            "PostgreSQL does not start; the last lines of " + log() + ":\n" + lastLines(), starting);
                }
            }
            pause();
        }
    }

    private boolean secondTryFailed(Process first) {
        Process second = process;
        return second != null && second.pid() != first.pid() && !second.isAlive();
    }

    private String lastLines() throws IOException {
        List<String> lines = Files.readAllLines(log());
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 8), lines.size()));
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
        long pid = Long.parseLong(lines.getFirst().strip());
        awaitReaped(pid);
        Optional<ProcessHandle> orphan = ProcessHandle.of(pid);
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

    /// A killed postmaster whose parent was killed too is a zombie until init takes note, and PostgreSQL, which only
    /// asks whether the number is in use, would refuse to start beside it.
    private static void awaitReaped(long pid) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (isEnding(pid)) {
            if (System.nanoTime() - deadline > 0) {
                throw new IOException(
                        "process " + pid + ", the PostgreSQL that ran here before, has ended, but no"
                                + " process takes note of it (process 1 should): start the container with an init, or restart it");
            }
            pause();
        }
    }

    /// Ended, or ending: proc(5), `stat`, field 3 (state) and field 9 (flags, of which 0x4 is PF_EXITING).
    private static boolean isEnding(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", String.valueOf(pid), "stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return fields[0].equals("Z") || fields[0].equals("X") || (Long.parseLong(fields[6]) & 0x4) != 0;
        } catch (IOException gone) {
            return false;
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
        // In a session of its own: Ctrl-C on the terminal is for us, who still need the database while we stop.
        command.add("setsid");
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

    /// The database runs as another user, who must be able to pass through every folder above its own.
    private static void requireReachable(Path path, String user) throws IOException {
        for (Path at = path.toAbsolutePath().normalize(); at != null; at = at.getParent()) {
            boolean open = Files.getPosixFilePermissions(at).contains(PosixFilePermission.OTHERS_EXECUTE);
            if (!open && !Files.getOwner(at).getName().equals(user)) {
                throw new IOException("PostgreSQL runs as the user '" + user + "', who can't pass through " + at
                        + " to reach " + path + "; allow that (chmod o+x " + at
                        + "), or give another --data folder");
            }
        }
    }

    private static void give(Path path, String user) throws IOException {
        UserPrincipal owner =
                path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(user);
        if (!Files.getOwner(path, LinkOption.NOFOLLOW_LINKS).equals(owner)) {
            Files.setOwner(path, owner);
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
        closing = true;
        Process running = process;
        Thread waiting = keeper;
        try {
            if (running != null && running.isAlive()) {
                interrupt(running.pid());
                if (!running.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                    LOG.error("PostgreSQL on {} (programs in {}) did not stop; killing it", cluster, programs);
                    running.destroyForcibly().waitFor();
                }
            }
            if (waiting != null) {
                waiting.join(2_000);
            }
        } catch (InterruptedException e) {
            if (running != null) {
                running.destroyForcibly();
            }
            Thread.currentThread().interrupt();
        }
    }
}
