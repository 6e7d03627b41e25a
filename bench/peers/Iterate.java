import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.StorageLevel;

/**
 * The iterations of bench/jobs/iterate.c: Iterate POINTS N parsed|cached. Prints for each the seconds that it took and the
 * sum of all numbers; with "cached" one more line ahead, of the iteration that fills the memory.
 */
class Iterate {
    private static Iterator<Double> total(Iterator<double[]> points) {
        double sum = 0;

        while (points.hasNext())
            for (double number : points.next())
                sum += number;
        return List.of(sum).iterator();
    }

    static void run(JavaSparkContext spark, String[] args) {
        JavaRDD<double[]> points = Points.read(spark, args[0]);
        boolean cached = args[2].equals("cached");

        if (cached)
            points.persist(StorageLevel.MEMORY_ONLY());
        for (int i = cached ? -1 : 0; i < Integer.parseInt(args[1]); i++) {
            long begun = System.nanoTime();
            double sum = points.mapPartitions(Iterate::total).reduce(Double::sum);

            System.out.println((System.nanoTime() - begun) / 1e9 + " " + sum);
        }
        points.unpersist(true);
    }
}
