namespace ModelFs.Architecture.Tests;

/// <summary>Which project may know which: the table of src/ARCHITECTURE.md, pinned.</summary>
internal sealed class ReferenceTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new(StringComparer.Ordinal)
    {
        ["ModelFs.Models"] = [],
        ["ModelFs.Fuse"] = [],
        ["ModelFs.Archives"] = ["ModelFs.Models"],
        ["ModelFs.Stores"] = ["ModelFs.Models"],
        ["ModelFs.Stores.Gcs"] = ["ModelFs.Models", "ModelFs.Stores"],
        ["ModelFs.Stores.Mongo"] = ["ModelFs.Models", "ModelFs.Stores"],
        ["ModelFs.Stores.S3"] = ["ModelFs.Models", "ModelFs.Stores"],
        ["ModelFs.Cache"] = ["ModelFs.Archives", "ModelFs.Models", "ModelFs.Stores"],
        ["ModelFs.FileSystem"] = ["ModelFs.Cache", "ModelFs.Models"],
        ["ModelFs.Mount"] = ["ModelFs.Cache", "ModelFs.FileSystem", "ModelFs.Fuse", "ModelFs.Models"],
        ["ModelFs.Cli"] =
        [
            "ModelFs.Archives", "ModelFs.Cache", "ModelFs.FileSystem", "ModelFs.Fuse", "ModelFs.Models", "ModelFs.Mount", "ModelFs.Stores", "ModelFs.Stores.Gcs",
            "ModelFs.Stores.Mongo", "ModelFs.Stores.S3",
        ],
    };

    /// <summary>Packages of a vendor or for one job, and the only project that may name them.</summary>
    private static readonly (string PackagePrefix, string Project)[] s_owners =
    [
        ("AWSSDK.", "ModelFs.Stores.S3"),
        ("Google.Apis", "ModelFs.Stores.Gcs"),
        ("MongoDB.", "ModelFs.Stores.Mongo"),
        ("Polly", "ModelFs.Stores"),
        ("SharpZipLib", "ModelFs.Archives"),
        ("System.CommandLine", "ModelFs.Cli"),
        ("Spectre.Console", "ModelFs.Cli"),
        ("Microsoft.Extensions.Logging.Console", "ModelFs.Cli"),
    ];

    [Test]
    public void Every_product_project_stands_in_the_table_and_the_other_way_round() =>
        Assert.That(ProjectFile.Product.Select(project => project.Name), Is.EquivalentTo(s_allowed.Keys));

    [TestCaseSource(typeof(ProjectFile), nameof(ProjectFile.Product))]
    public void A_product_project_refers_only_to_what_the_table_allows(ProjectFile project) =>
        Assert.That(project.Projects, Is.SubsetOf(s_allowed[project.Name]));

    [Test]
    public void The_composition_root_refers_to_every_product_project() =>
        Assert.That(ProjectFile.Product.Single(project => project.Name == "ModelFs.Cli").Projects, Is.EquivalentTo(s_allowed["ModelFs.Cli"]));

    [TestCaseSource(typeof(ProjectFile), nameof(ProjectFile.Product))]
    public void A_package_is_named_only_by_the_project_whose_job_it_is(ProjectFile project)
    {
        var strangers = project.Packages.Where(package => s_owners.Any(owner => package.StartsWith(owner.PackagePrefix, StringComparison.Ordinal) && owner.Project != project.Name));
        Assert.That(strangers, Is.Empty);
    }

    [Test]
    public void The_models_need_no_package() =>
        Assert.That(ProjectFile.Product.Single(project => project.Name == "ModelFs.Models").Packages, Is.Empty);

    [TestCaseSource(typeof(ProjectFile), nameof(ProjectFile.All))]
    public void Versions_stand_in_one_place(ProjectFile project) =>
        Assert.That(project.Xml.Descendants("PackageReference").Where(package => package.Attribute("Version") is not null), Is.Empty);

    [Test]
    public void Black_box_tests_know_no_product_project()
    {
        foreach (var name in new[] { "ModelFs.FunctionalTests", "ModelFs.CrashTests", "ModelFs.Architecture.Tests" })
        {
            Assert.That(ProjectFile.All.Single(project => project.Name == name).Projects, Is.Empty, name);
        }
    }

    [Test]
    public void Transitive_references_are_off_and_warnings_are_errors()
    {
        var properties = RepositoryFiles.Read("Directory.Build.props");
        Assert.That(properties, Does.Contain("<DisableTransitiveProjectReferences>true<").And.Contain("<TreatWarningsAsErrors>true<").And.Contain("<Nullable>enable<"));
        foreach (var project in ProjectFile.All)
        {
            Assert.That(project.Xml.ToString(), Does.Not.Contain("DisableTransitiveProjectReferences").And.Not.Contain("TreatWarningsAsErrors"), project.Path);
        }
    }

    [Test]
    public void Every_project_is_in_the_solution()
    {
        var solution = RepositoryFiles.Read("ModelFs.sln").Replace('\\', '/');
        Assert.That(ProjectFile.All.Where(project => !solution.Contains($"\"{project.Path}\"", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Every_product_project_with_logic_has_tests_of_its_own()
    {
        // The S3 store is tested with the other stores, by the suite that all of them run.
        var untested = ProjectFile.Product.Select(project => project.Name + ".Tests").Except(ProjectFile.All.Select(project => project.Name)).Except(["ModelFs.Stores.S3.Tests"]);
        Assert.That(untested, Is.Empty);
    }
}
