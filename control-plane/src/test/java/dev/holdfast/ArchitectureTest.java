package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import dev.holdfast.buildchecks.Diagram;
import dev.holdfast.buildchecks.HouseRules;
import dev.holdfast.buildchecks.Reach;
import dev.holdfast.buildchecks.Rooms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Holds the code to the picture in ARCHITECTURE.md, and the picture to the code.
class ArchitectureTest {
    private static final Path MODULE = Path.of("").toAbsolutePath();
    private static final JavaClasses CLASSES = HouseRules.classesOf(MODULE);
    private static final Diagram PICTURE = picture();
    private static final Rooms ROOMS = new Rooms(
            CLASSES,
            "dev.holdfast",
            Map.of(
                    "protocol", Set.of(), // the module beside this one
                    "core", Set.of(),
                    "config", Set.of("core"),
                    "database", Set.of("core"),
                    "journal", Set.of("core", "database")));

    private static Diagram picture() {
        try {
            return Diagram.parse(Files.readString(MODULE.resolveSibling("ARCHITECTURE.md")));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void assertNone(List<String> faults) {
        if (!faults.isEmpty()) {
            fail("%d faults%n%s%n", faults.size(), String.join("\n", faults));
        }
    }

    @Test
    void everyArrowInTheCodeIsDrawn() {
        assertNone(ROOMS.notDrawn(PICTURE));
    }

    @Test
    void everyArrowDrawnIsInTheCode() {
        assertNone(ROOMS.unused(PICTURE));
    }

    @Test
    void thereIsNoCircleNeitherInThePictureNorInTheCode() {
        assertThat(Diagram.circle(PICTURE.arrows())).isEmpty();
        assertThat(Diagram.circle(ROOMS.arrows().keySet())).isEmpty();
    }

    @Test
    void theGroundUsesOnlyTheGround() {
        assertNone(ROOMS.groundFaults());
    }

    @Test
    void roomsAreFlatAndNotOvergrownAndTheirDoorsAreSmall() {
        assertNone(ROOMS.shapeFaults());
    }

    @Test
    void onlyTypesNamedForItTouchTheOutside() {
        assertNone(Reach.outside(CLASSES, ArchitectureTest::mayTouchTheOutside));
    }

    /// The ground that everything outside is reached through, and the composition root, besides those named for
    /// it.
    private static boolean mayTouchTheOutside(JavaClass one) {
        return Reach.isNamedForTheOutside(one)
                || one.getPackageName().equals("dev.holdfast")
                || one.getPackageName().equals("dev.holdfast.database")
                || Set.of("JournalWriter", "JournalTail").contains(one.getSimpleName());
    }

    @Test
    void onlyMainReadsTheSystemClockOrMakesRandomness() {
        assertNone(Reach.clockAndChance(CLASSES, one -> one.getName().equals("dev.holdfast.Main")));
    }

    /// The ticket to a certificate: made by the policy for devices, by `ca` for our own listeners, and by
    /// nobody else.
    @Test
    void onlyThePolicyGrantsCertificates() {
        List<String> makers = CLASSES.get("dev.holdfast.ca.ApprovedRequest").getConstructorCallsToSelf().stream()
                .map(call -> call.getOriginOwner().getName())
                .distinct()
                .sorted()
                .toList();
        assertThat(makers)
                .containsExactly(
                        "dev.holdfast.ca.ServerCertificateStore",
                        "dev.holdfast.ca.ServiceCertificates",
                        "dev.holdfast.identity.EnrolmentPolicy");
    }

    @Test
    void namesNullSafetyAndLengthAreAsInEveryModule() {
        assertNone(HouseRules.faultsOf(MODULE));
    }
}
