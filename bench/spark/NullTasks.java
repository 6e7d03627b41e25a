import java.util.Collections;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/** Tasks that do nothing: prints how many a second, once Spark is warm. NullTasks N. */
public class NullTasks {
    public static void main(String[] args) {
        JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName("NullTasks"));
        int n = Integer.parseInt(args[0]);
        JavaRDD<Integer> none = spark.parallelize(Collections.<Integer>emptyList(), n);
        none.foreachPartition(nothing -> { });
        long begun = System.nanoTime();
        none.foreachPartition(nothing -> { });
        System.out.println(n / ((System.nanoTime() - begun) / 1e9));
        spark.stop();
    }
}
