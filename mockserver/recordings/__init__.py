"""`mockserver recording`: what else can be made of recorded traffic, so that the mock answers as the service did."""
