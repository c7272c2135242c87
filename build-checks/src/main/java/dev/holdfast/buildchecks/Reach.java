package dev.holdfast.buildchecks;

import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/// What code may reach: who may touch the outside world, and who may read the clock or make randomness.
public final class Reach {
    private static final Set<String> SQL = Set.of(
            "java.sql.Connection",
            "java.sql.DriverManager",
            "java.sql.Statement",
            "java.sql.PreparedStatement",
            "java.sql.ResultSet",
            "org.jooq.DSLContext",
            "org.postgresql.copy.CopyManager");
    private static final Set<String> SOCKETS = Set.of(
            "java.net.Socket",
            "java.net.ServerSocket",
            "java.net.DatagramSocket",
            "java.net.http.HttpClient",
            "java.nio.channels.SocketChannel",
            "java.nio.channels.ServerSocketChannel",
            "java.nio.channels.DatagramChannel",
            "javax.net.ssl.SSLSocket",
            "io.vertx.core.net.NetServer",
            "io.vertx.core.net.NetClient",
            "io.vertx.core.http.HttpServer",
            "io.vertx.core.http.HttpClient",
            "io.vertx.core.datagram.DatagramSocket",
            "io.vertx.mqtt.MqttServer",
            "io.vertx.mqtt.MqttClient");
    private static final Set<String> FILES = Set.of(
            "java.io.FileOutputStream",
            "java.io.FileWriter",
            "java.io.RandomAccessFile",
            "java.nio.channels.FileChannel",
            "java.lang.ProcessBuilder");
    private static final Set<String> READING = Set.of(
            "exists", "notExists", "isRegularFile", "isDirectory", "isReadable", "isExecutable", "size", "readString");
    private static final Set<String> TIME = Set.of(
            "java.time.Instant",
            "java.time.LocalDate",
            "java.time.LocalDateTime",
            "java.time.LocalTime",
            "java.time.OffsetDateTime",
            "java.time.ZonedDateTime",
            "java.time.Year",
            "java.time.YearMonth");

    private Reach() {}

    /// Code outside the allowed types that uses SQL, sockets, files for writing, or other programs.
    ///
    /// Handing a connection on is not using it; only calls count.
    public static List<String> outside(JavaClasses classes, Predicate<JavaClass> allowed) {
        return calls(classes, allowed, Reach::touchesTheOutside, "touches the outside world");
    }

    /// Code outside the allowed types that reads the system clock (elapsed time by `System.nanoTime` is fine) or
    /// makes randomness.
    public static List<String> clockAndChance(JavaClasses classes, Predicate<JavaClass> allowed) {
        return calls(classes, allowed, Reach::readsClockOrChance, "reads the system clock or makes randomness");
    }

    /// Whether the type, or the one around it, is named as one that touches the outside.
    public static boolean isNamedForTheOutside(JavaClass one) {
        String name = outermost(one).getSimpleName();
        return name.endsWith("Store")
                || name.endsWith("Client")
                || name.endsWith("Endpoint")
                || name.endsWith("Enforcer");
    }

    static JavaClass outermost(JavaClass one) {
        JavaClass outer = one;
        while (outer.getEnclosingClass().isPresent()) {
            outer = outer.getEnclosingClass().get();
        }
        return outer;
    }

    private static List<String> calls(
            JavaClasses classes, Predicate<JavaClass> allowed, Predicate<CodeUnitCallTarget> forbidden, String fault) {
        Set<String> faults = new TreeSet<>();
        for (JavaClass one : classes) {
            if (allowed.test(outermost(one)) || allowed.test(one)) {
                continue;
            }
            for (JavaCodeUnitAccess<?> access : one.getCodeUnitCallsFromSelf()) {
                if (access.getTarget() instanceof CodeUnitCallTarget target && forbidden.test(target)) {
                    faults.add(one.getName() + " " + fault + ": "
                            + target.getOwner().getSimpleName() + "." + target.getName() + " "
                            + access.getSourceCodeLocation());
                }
            }
        }
        return new ArrayList<>(faults);
    }

    private static boolean touchesTheOutside(CodeUnitCallTarget target) {
        String owner = target.getOwner().getName();
        return SQL.contains(owner)
                || SOCKETS.contains(owner)
                || FILES.contains(owner)
                || (owner.equals("java.nio.file.Files") && !READING.contains(target.getName()));
    }

    private static boolean readsClockOrChance(CodeUnitCallTarget target) {
        String owner = target.getOwner().getName();
        String name = target.getName();
        boolean withoutArguments = target.getRawParameterTypes().isEmpty();
        return (TIME.contains(owner) && name.equals("now") && withoutArguments)
                || (owner.equals("java.lang.System") && name.equals("currentTimeMillis"))
                || (owner.equals("java.time.Clock") && name.startsWith("system"))
                || (owner.equals("java.time.InstantSource") && name.equals("system"))
                || (owner.equals("java.util.Date") && name.equals("<init>") && withoutArguments)
                || (Set.of("java.util.Random", "java.security.SecureRandom", "java.util.SplittableRandom")
                                .contains(owner)
                        && (name.equals("<init>") || name.startsWith("getInstance"))
                        && withoutArguments)
                || (owner.equals("java.util.concurrent.ThreadLocalRandom") && name.equals("current"))
                || (owner.equals("java.util.UUID") && name.equals("randomUUID"))
                || (owner.equals("java.lang.Math") && name.equals("random"));
    }
}
