"""What several years of an area say: trends, growth, stages."""
