package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.swu.ImageTargets;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// All parsers of this module that read what others have made.
public final class ProtocolTargets implements Supplier<List<FuzzTarget>> {
    @Override
    public List<FuzzTarget> get() {
        return Stream.of(
                        RequestTargets.all(),
                        RevocationTargets.all(),
                        CmpTargets.all(),
                        ScepTargets.all(),
                        AcmeTargets.all(),
                        TpmTargets.all(),
                        FleetTargets.all(),
                        ImageTargets.all())
                .flatMap(List::stream)
                .toList();
    }
}
