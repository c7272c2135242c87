package sample.city.south;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

public final class WaterManager {
    private WaterManager() {}

    public static void spill(Path where) {
        Stream.of("a").forEach(drop -> {
            try {
                Files.writeString(where, drop);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }
}
